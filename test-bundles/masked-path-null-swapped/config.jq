# A masked file is masked by the true null device, whatever the image has at /dev/null (CVE-2025-31133).
.mounts |= map(select(.destination | startswith("/dev") | not))
| .linux.maskedPaths += ["/masked"]
| .process.args = ["sh", "-c", "wc -c </masked; wc -c </secret"]
