// SPDX-License-Identifier: Apache-2.0
public import Linux

/// Why no runtime can be set up from what a program was told.
public enum ConfigurationError: Error, Equatable, Sendable {
    case unreadable(path: String, Errno)
    case malformed(path: String, ConfigurationProblem)
    case unknownEngine(String)
    /// A user who is not root has no place for states but the one the session gives.
    case noRuntimeDirectory
    case executablePath(Errno)
    /// Several of containerd's namespaces have a container of this name.
    case ambiguousContainer(id: String, directories: [String])
}

/// What is wrong in a configuration file.
public enum ConfigurationProblem: Error, Equatable, Sendable {
    case syntax(String, line: Int, column: Int)
    case unknownKey(String)
    case wrongType(key: String, expected: String)
    case badValue(key: String, value: String, expected: String)
}

extension ConfigurationError: CustomStringConvertible {
    /// The problem with its file and place, as the user reads it.
    public var description: String {
        switch self {
        case .unreadable(let path, let errno): "open \(path): \(errno)"
        case .malformed(let path, let problem): "\(path): \(problem)"
        case .unknownEngine(let name): "unknown engine \"\(name)\": expected auto, kvm or qemu"
        case .noRuntimeDirectory: "XDG_RUNTIME_DIR is not set: say where states are kept with --root"
        case .executablePath(let errno): "readlink /proc/self/exe: \(errno)"
        case .ambiguousContainer(let id, let directories):
            "container \(id) is in several namespaces: say which with --root: \(directories.joined(separator: ", "))"
        }
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// The problem as the user reads it.
    public var description: String {
        switch self {
        case .syntax(let text, let line, let column): "line \(line), column \(column): \(text)"
        case .unknownKey(let key): "unknown key \"\(key)\""
        case .wrongType(let key, let expected): "\(key): expected \(expected)"
        case .badValue(let key, let value, let expected): "\(key): \"\(value)\" is not \(expected)"
        }
    }
}
