# A namespace asked for twice.
.linux.namespaces += [{type: "pid"}]
