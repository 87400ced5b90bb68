// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import SandboxPlan

/// What the kernel starts when something needs a module that is not loaded: request_module() runs `/sbin/modprobe -q --
/// NAME` as root, beside PID 1, and waits. In a guest that is the agent's own program once more. The modules lie in the
/// shared tree, read-only on the host, where no container reaches; a process that causes a request gets one of these, or
/// nothing.
public enum ModuleRequest {
    /// What the kernel calls, and what stands there.
    static let program = "/sbin/modprobe"
    private static let ownProgram = "/proc/1/exe"
    /// Seconds; the container's call that caused it waits.
    private static let patience: UInt32 = 30
    private static let listLimit = 1 << 20

    /// Makes the program known to the kernel. The agent's file is in no directory any more, but runs.
    static func offer() throws(Errno) {
        try Directory.make("/sbin")
        try FileNode.makeSymlink(program, at: .currentDirectory, target: ownProgram)
    }

    /// Loads the module that has `name`, or the modules; exits with 0 if one was loaded. Does nothing on a machine whose
    /// first process is another program.
    public static func run(_ name: String) -> Never {
        _ = alarm(patience)
        guard isGuest() else { Process.exitNow(1) }
        do throws(Errno) {
            try load(Array(name.utf8))
        } catch {
            Process.exitNow(1)
        }
        Process.exitNow(0)
    }

    private static func isGuest() -> Bool {
        guard let own = try? FileDescriptor.open("/proc/self/exe", .path),
            let first = try? FileDescriptor.open(ownProgram, .path),
            let mine = try? FileNode.status(of: own.borrowed), let theirs = try? FileNode.status(of: first.borrowed)
        else { return false }
        return mine.device == theirs.device && mine.inode == theirs.inode
    }

    private static func load(_ name: [UInt8]) throws(Errno) {
        let directory = try FileDescriptor.open(
            "\(GuestConvention.sharedDirectory)/\(GuestConvention.modulesName)", [.path, .directory, .noFollow])
        func list(_ name: String) throws(Errno) -> [UInt8] {
            try FileDescriptor.open(name, at: directory.borrowed).readAll(limit: listLimit)
        }
        let index = ModuleIndex(
            dependencies: try list("modules.dep"), aliases: try list("modules.alias"),
            softDependencies: try list("modules.softdep"))
        let files = index.files(for: name)
        var answer: Errno? = .noSuchFile
        for file in files {
            do throws(Errno) {
                let module = try FileDescriptor.open(file, at: directory.borrowed, resolve: [.beneath, .noSymlinks])
                try Kernel.load(module: module)
                answer = nil
            } catch {
                // One of several may be for a processor that this is not.
                if answer != nil { answer = error }
            }
        }
        if let answer { throw answer }
    }
}
