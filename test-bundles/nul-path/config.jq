# A NUL would make another path.
.root.path = "rootfs\u0000/../.."
