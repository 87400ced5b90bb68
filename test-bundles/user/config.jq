# User, group and further groups; files are made as that user, with the document's umask.
.process.user = {uid: 1000, gid: 1001, additionalGids: [50, 2000], umask: 23}
