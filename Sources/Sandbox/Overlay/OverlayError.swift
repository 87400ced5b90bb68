// SPDX-License-Identifier: Apache-2.0
public import Linux

/// Why an overlay was not made. What was asked for is named as it was written.
public enum OverlayError: Error, Hashable, Sendable {
    case optionMissing(String)
    case relativePath(option: String, String)
    case unsupportedOption(String)
    /// A directory that an option names.
    case directory(option: String, path: String, Errno)
    /// The file system refused it; `detail` is what the kernel said.
    case option(String, Errno, detail: String)
    case mount(Errno, detail: String)
    /// The kernel takes them in one list only, and of so many bytes.
    case listTooLong(byteCount: Int, limit: Int)
}

extension OverlayError: CustomStringConvertible {
    /// The problem as the user reads it.
    public var description: String {
        switch self {
        case .optionMissing(let option): "option \(option) is missing"
        case .relativePath(let option, let path): "option \(option): \(quoted(path)): must be an absolute path"
        case .unsupportedOption(let option): "option \(quoted(option)) is not supported"
        case .directory(let option, let path, let errno): "option \(option): \(quoted(path)): \(errno)"
        case .option(let option, let errno, let detail): "option \(quoted(option)): \(errno)\(suffix(detail))"
        case .mount(let errno, let detail): "\(errno)\(suffix(detail))"
        case .listTooLong(let count, let limit):
            "its lower directories take \(count) bytes to name, and this kernel takes \(limit)"
        }
    }

    private func suffix(_ detail: String) -> String { detail.isEmpty ? "" : " (\(detail))" }

    /// Cut to what a line of a log can bear, and with nothing in it that could end the line.
    private func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(200).map { $0.properties.generalCategory == .control ? "?" : String($0) }
        return "\"\(shown.joined())\(text.unicodeScalars.count > 200 ? "…" : "")\""
    }
}
