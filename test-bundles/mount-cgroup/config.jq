# The guest's cgroup v2, the container's own at its root where the document has a cgroup namespace.
.linux.namespaces += [{type: "cgroup"}]
