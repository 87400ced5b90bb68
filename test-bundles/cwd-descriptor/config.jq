# A working directory that is a descriptor of the runtime's own leads nowhere (CVE-2024-21626).
.process.args = ["sleep", "600"]
