import OCISpec

/// What `--version` prints: the lines runc prints, which docker and containerd read.
enum Version {
    static let number = "0.1.0"

    static let text = """
        fc-runc version \(number)
        spec: \(Spec.newestVersion)

        """
}
