# Without capabilities even root may not do what root does.
.process.capabilities = {bounding: [], effective: [], permitted: [], inheritable: [], ambient: []}
