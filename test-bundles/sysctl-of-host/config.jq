# What Linux derives from a machine's memory is as much as the host's: under runc the workload finds that.
.process.args = ["sh", "-c", "cd /proc/sys/fs; cat file-max inotify/max_user_watches nr_open inotify/max_user_instances"]
