# A path of the control group that climbs.
.linux.cgroupsPath = "/a/../../b"
