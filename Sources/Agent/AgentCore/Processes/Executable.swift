// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import SandboxPlan

/// The program a process becomes, with its arguments and environment; found as Go's exec.LookPath does it, in its words.
struct Executable {
    let path: String
    let arguments: [String]
    let environment: [String]

    /// Looks in the root, as the user, that this process has by now.
    init(_ plan: ProcessPlan) throws(LaunchFailure) {
        guard let name = plan.arguments.first, !name.isEmpty else {
            throw LaunchFailure(.executable, "exec: \"\": executable file not found in $PATH", errno: ENOENT)
        }
        environment = Self.environment(of: plan)
        arguments = plan.arguments
        path = try Self.find(name, in: Self.value("PATH", in: environment) ?? "")
        do {
            try Process.mayExecute(path)
        } catch {
            throw LaunchFailure(.executable, error, "exec: \"\(name)\"")
        }
    }

    private static func find(_ name: String, in searchPath: String) throws(LaunchFailure) -> String {
        if name.utf8.contains(UInt8(ascii: "/")) {
            if let error = refusal(of: name) {
                let what = error == .noSuchFile || error == .notDirectory ? "stat \(name): \(error)" : error.description
                throw LaunchFailure(.executable, "exec: \"\(name)\": \(what)", errno: error.rawValue)
            }
            return name
        }
        for directory in searchPath.split(at: ":", omittingEmptySubsequences: false) {
            let path = (directory.isEmpty ? "." : String(directory)) + "/" + name
            if refusal(of: path) == nil { return path }
        }
        throw LaunchFailure(
            .executable, "exec: \"\(name)\": executable file not found in $PATH", errno: ENOENT)
    }

    /// Why `path` is no program: it is not there, or has no bit that says it is one. A directory counts as the
    /// latter: docker and podman make an exit code of these words.
    private static func refusal(of path: String) -> Errno? {
        do throws(Errno) {
            let file = try FileDescriptor.open(path, .path)
            let status = try FileNode.status(of: file.borrowed)
            return status.isDirectory || status.permissions & 0o111 == 0 ? .permissionDenied : nil
        } catch {
            return error
        }
    }

    /// The plan's environment, of each name the last, and HOME.
    static func environment(
        of plan: ProcessPlan, home: (UInt32) -> String = { PasswordFile.home(of: $0) }
    ) -> [String] {
        var seen: Set<[UInt8]> = []
        var entries: [String] = []
        for entry in plan.environment.reversed() where seen.insert(Array(entry.before("=").utf8)).inserted {
            entries.append(entry)
        }
        entries.reverse()
        if (value("HOME", in: entries) ?? "").isEmpty {
            entries.removeAll { $0.begins(with: "HOME=") }
            entries.append("HOME=" + home(plan.user.uid))
        }
        return entries
    }

    private static func value(_ name: String, in environment: [String]) -> String? {
        for entry in environment {
            if let value = entry.after(name + "=") { return String(value) }
        }
        return nil
    }

    /// Becomes the program. Returns only to throw.
    func run() throws(LaunchFailure) -> Never {
        try step(.exec, "exec \(path)") { () throws(Errno) in
            try Process.closeDescriptorsOnExec(from: 3)
            try Process.execute(path: path, arguments: arguments, environment: environment)
        }
    }
}

/// The container's /etc/passwd: the C library's own reader needs more than a static program has.
enum PasswordFile {
    private static let byteLimit = 16 << 20

    /// The home directory of `uid`; `/` where the file does not say.
    static func home(of uid: UInt32) -> String {
        guard let file = try? FileDescriptor.open("/etc/passwd", .nonBlocking),
            (try? FileNode.status(of: file.borrowed))?.isRegularFile == true,
            let bytes = try? file.readAll(limit: byteLimit)
        else { return "/" }
        return home(of: uid, in: String(decoding: bytes, as: UTF8.self))
    }

    static func home(of uid: UInt32, in text: String) -> String {
        // By bytes: what ends a line is the line feed, whatever stands before it.
        for line in text.split(at: "\n") {
            // name:password:uid:gid:comment:home:shell
            let fields = line.split(at: ":", omittingEmptySubsequences: false)
            if fields.count >= 6, UInt32(fields[2]) == uid, !fields[5].utf8.contains(0) {
                return fields[5].isEmpty ? "/" : String(fields[5])
            }
        }
        return "/"
    }
}
