# linux.resources.pids.limit: no more processes than that.
.linux.resources.pids.limit = 6
