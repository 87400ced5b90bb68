# A path that is masked twice is covered once, and one empty tmpfs covers all directories.
.linux.maskedPaths = ["/hidden", "/hidden/", "/hidden", "/other", "/proc/version", "/proc/version"]
