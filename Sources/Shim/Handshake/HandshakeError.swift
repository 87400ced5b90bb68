// SPDX-License-Identifier: Apache-2.0
public import Cgroup
public import Linux
public import OCISpec
public import Protobuf
import SandboxPlan

/// Why the shim was not started, or could not be asked to be. containerd shows the text to its client.
public enum HandshakeError: Error, Sendable {
    case unknownFlag(String)
    case flagSyntax(String)
    case flagNeedsValue(String)
    case flagValue(flag: String, value: String)
    case tooManyArguments(Int, limit: Int)
    case argumentTooLong(byteCount: Int, limit: Int)
    case unknownAction(String)
    case missing(flag: String)
    /// What is to become part of a path must be a name.
    case identifier(what: String, String)
    case relativePath(flag: String, String)
    case input(Errno)
    case inputTooLong(limit: Int)
    /// The bytes on standard input are no message.
    case message(MessageError)
    case document(SpecError)
    /// The annotations name a sandbox in a way that is refused; the text says why.
    case annotations(String)
    case bundleFile(operation: String, name: String, Errno)
    case socketPathTooLong(String, limit: Int)
    case socketDirectory(path: String, Errno)
    case socketLock(path: String, seconds: Int64)
    case socket(operation: String, path: String, Errno)
    case socketInUse(path: String)
    case launch(operation: String, Errno)
    /// The options name a cgroup for the shim that it could not join.
    case shimCgroup(String, CgroupError)
    /// The daemon said why it cannot serve.
    case daemonFailed(String)
    case daemonEnded(String)
    case daemonTimedOut(seconds: Int64)
    case notHandedDown(descriptor: Int32, what: String)
}

extension HandshakeError: CustomStringConvertible {
    /// The error in words, for people and logs.
    public var description: String {
        switch self {
        case .unknownFlag(let name): "flag provided but not defined: -\(shown(name))"
        case .flagSyntax(let text): "bad flag syntax: \(shown(text))"
        case .flagNeedsValue(let name): "flag needs an argument: -\(name)"
        case .flagValue(let flag, let value): "invalid value \"\(shown(value))\" for flag -\(flag)"
        case .tooManyArguments(let count, let limit): "\(count) arguments, at most \(limit) are taken"
        case .argumentTooLong(let count, let limit): "argument of \(count) bytes, at most \(limit) are taken"
        case .unknownAction(let name): "unknown command \"\(shown(name))\": must be start, delete or serve"
        case .missing(let flag): "-\(flag) must not be empty"
        case .identifier(let what, let text):
            "\(what) \"\(shown(text))\" must be 1 to \(ContainerID.containerdByteLimit) letters, digits, '.', '_' and '-', "
                + "the first and last a letter or digit"
        case .relativePath(let flag, let path): "-\(flag) \(shown(path)): must be an absolute path"
        case .input(let errno): "read standard input: \(errno)"
        case .inputTooLong(let limit): "standard input has more than \(limit) bytes"
        case .message(let error): "standard input: \(error)"
        case .shimCgroup(let path, let error): "options: ShimCgroup \"\(shown(path))\": \(error)"
        case .document(let error): "config.json: \(error)"
        case .annotations(let text): "config.json: annotations: \(text)"
        case .bundleFile(let operation, let name, let errno): "\(operation) \(name) of the bundle: \(errno)"
        case .socketPathTooLong(let path, let limit):
            "socket path \(shown(path)): \(path.utf8.count) bytes, at most \(limit) are possible"
        case .socketDirectory(let path, let errno): "socket directory \(path): \(errno)"
        case .socketLock(let path, let seconds): "socket directory \(path): locked by another for \(seconds) seconds"
        case .socket(let operation, let path, let errno): "\(operation) socket \(path): \(errno)"
        case .socketInUse(let path): "socket \(path) is another's"
        case .launch(let operation, let errno): "start the shim: \(operation): \(errno)"
        case .daemonFailed(let text): "the shim cannot serve: \(shown(text))"
        case .daemonEnded(let how): "the shim ended before it served: \(how)"
        case .daemonTimedOut(let seconds): "the shim did not serve within \(seconds) seconds"
        case .notHandedDown(let descriptor, let what):
            "descriptor \(descriptor) is not \(what): a shim is started by its `start` command, or with -socket"
        }
    }

    /// Another's words, cut to what a line of a log can bear and with nothing in them that could end the line.
    private func shown(_ text: String) -> String {
        let scalars = text.unicodeScalars.prefix(1000).map {
            $0.properties.generalCategory == .control ? "?" : String($0)
        }
        return scalars.joined() + (text.unicodeScalars.count > 1000 ? "…" : "")
    }
}

extension ContainerID {
    /// Checks an identifier of containerd's, so that none is a path, hidden, or an option of a command.
    ///
    /// - Parameter what: what an error calls it.
    static func check(_ text: String, _ what: String) throws(HandshakeError) {
        guard isContainerdIdentifier(text) else { throw .identifier(what: what, text) }
    }
}
