# A host name without a namespace for it.
.linux.namespaces |= map(select(.type != "uts"))
