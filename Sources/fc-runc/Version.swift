// SPDX-License-Identifier: Apache-2.0
import Configuration
import OCISpec

/// What `--version` prints: the lines runc prints, which docker and containerd read.
extension Version {
    static let text = """
        fc-runc version \(number)
        spec: \(Spec.newestVersion)

        """
}
