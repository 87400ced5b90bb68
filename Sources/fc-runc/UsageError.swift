// SPDX-License-Identifier: Apache-2.0
import Configuration
import Linux

/// What is wrong with what the program was asked, beyond the command line's form. The texts are runc's where
/// runc has one.
enum UsageError: Error, Equatable {
    case logFormat(String)
    case file(String, Errno)
    case systemdCgroup
    case configuration(ConfigurationError)
    case format(String)
    case signal(String)
    case user(String, field: String)
    case environment(String)
    case processEmpty
    case processAndArguments
    case specExists
    case unsupported(command: String)
    case unsupportedOption(String, reason: String)
    case optionValue(String, value: String)
    case countOutOfRange(option: String, value: Int)
}

extension UsageError: CustomStringConvertible {
    var description: String {
        switch self {
        case .logFormat(let format): "invalid log-format: \(format)"
        case .file(let path, let errno): "open \(path): \(errno)"
        case .systemdCgroup: "systemd cgroup driver is not supported: use cgroupfs"
        case .configuration(let error): "\(error)"
        case .format: "invalid format option"
        case .signal(let name): "unknown signal \"\(name)\""
        case .user(let text, let field): "parsing \(text) as int for \(field) failed: invalid syntax"
        case .environment(let text): "invalid environment variable \"\(text)\": expected NAME=value"
        case .processEmpty: "process args cannot be empty"
        case .processAndArguments: "a command and --process exclude each other"
        case .specExists: "File config.json exists. Remove it first"
        case .unsupported(let command): "fc-runc \(command): not supported yet"
        case .unsupportedOption(let option, let reason): "\(option) is not supported: \(reason)"
        case .optionValue(let option, let value): "invalid value for \(option): \"\(value)\""
        case .countOutOfRange(let option, let value): "\(option) \(value): out of range"
        }
    }
}
