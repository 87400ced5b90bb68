# A namespace of no kernel.
.linux.namespaces += [{type: "color"}]
