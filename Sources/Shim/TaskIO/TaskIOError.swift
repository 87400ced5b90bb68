// SPDX-License-Identifier: Apache-2.0
public import Linux

/// Why a task's streams were not opened. `stream` is stdin, stdout or stderr.
public enum TaskIOError: Error, Hashable, Sendable {
    case tooLong(stream: String, byteCount: Int, limit: Int)
    case relativePath(stream: String, String)
    case scheme(stream: String, String)
    case malformed(stream: String, String)
    case open(stream: String, path: String, Errno)
    case notAFIFO(stream: String, path: String, found: String)
    case notAFile(stream: String, path: String, found: String)
    case makeDirectory(stream: String, path: String, Errno)
    /// Standard error goes to a logging program only with standard output.
    case loggerForErrorAlone
    case tooManyArguments(Int, limit: Int)
    case pipe(Errno)
    case logger(path: String, Errno)
    case loggerEnded(path: String)
    case loggerNotReady(path: String, seconds: Int64)
    case loggerWatch(path: String, Errno)
}

extension TaskIOError: CustomStringConvertible {
    /// The problem as containerd reads it.
    public var description: String {
        switch self {
        case .tooLong(let stream, let count, let limit): "\(stream): \(count) bytes, at most \(limit) are taken"
        case .relativePath(let stream, let path): "\(stream): \(shown(path)): must be an absolute path"
        case .scheme(let stream, let scheme): "\(stream): scheme \(shown(scheme)) is not supported"
        case .malformed(let stream, let text): "\(stream): \(shown(text)): not a URI"
        case .open(let stream, let path, let errno): "open \(stream) \(shown(path)): \(errno)"
        case .notAFIFO(let stream, let path, let found): "open \(stream) \(shown(path)): is \(found), not a fifo"
        case .notAFile(let stream, let path, let found): "open \(stream) \(shown(path)): is \(found), not a file"
        case .makeDirectory(let stream, let path, let errno): "make folder \(shown(path)) for \(stream): \(errno)"
        case .loggerForErrorAlone: "stderr: a logging program takes stdout and stderr, or neither"
        case .tooManyArguments(let count, let limit): "stdout: \(count) arguments, at most \(limit) are taken"
        case .pipe(let errno): "pipe to the logging program: \(errno)"
        case .logger(let path, let errno): "start logging program \(shown(path)): \(errno)"
        case .loggerEnded(let path): "logging program \(shown(path)) ended before it was ready"
        case .loggerNotReady(let path, let seconds):
            "logging program \(shown(path)) was not ready within \(seconds) seconds"
        case .loggerWatch(let path, let errno): "wait for logging program \(shown(path)): \(errno)"
        }
    }

    /// The client's words, cut to what a line of a log can bear and with nothing in them that could end the line.
    private func shown(_ text: String) -> String {
        let scalars = text.unicodeScalars.prefix(200).map {
            $0.properties.generalCategory == .control ? "?" : String($0)
        }
        return scalars.joined() + (text.unicodeScalars.count > 200 ? "…" : "")
    }
}
