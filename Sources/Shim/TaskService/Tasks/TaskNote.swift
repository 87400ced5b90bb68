// SPDX-License-Identifier: Apache-2.0
/// A line for the log about a container.
struct TaskNote {
    enum Level: String {
        case debug, info, warning, error
    }

    let level: Level
    /// The container's id; empty for what is about the shim.
    let container: String
    let text: String

    init(_ level: Level, _ container: String, _ text: String) {
        self.level = level
        self.container = container
        self.text = text
    }
}
