# A user namespace is not given yet, which is said by its name.
.linux.namespaces += [{type: "user"}]
