# A seccomp action of no library.
.linux.seccomp = {defaultAction: "SCMP_ACT_SHRUG"}
