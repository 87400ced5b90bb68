// SPDX-License-Identifier: Apache-2.0
import AgentClient
import AgentProtocol
import Glibc
import Linux
import SandboxPlan

/// An agent in a process of its own on this machine, with a shared tree that has a small root at `0/rootfs`.
final class HostedAgent {
    /// nil where this machine can make containers; else what it lacks.
    static let lack: String? = {
        if getuid() != 0 { return "needs root" }
        if cgroupRoot == nil { return "needs a cgroup v2 mount" }
        if (try? FileDescriptor.open(busybox, .path)) == nil { return "needs \(busybox) of busybox-static" }
        do throws(Errno) {
            switch try Process.spawn("/usr/bin/unshare", ["-m", "-p", "-i", "-u", "-n", "-f", "true"]) {
            case let pid:
                guard try Process.wait(for: pid)?.status == .exited(code: 0) else { return "cannot make namespaces" }
            }
        } catch {
            return "cannot make namespaces"
        }
        return nil
    }()

    static let busybox = "/bin/busybox"
    static let cgroupRoot: String? = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].first {
        (try? FileDescriptor.open($0 + "/cgroup.procs", .path)) != nil
            && (try? FileDescriptor.open($0 + "/cgroup.controllers", .path)) != nil
    }

    let directory: String
    private let cgroup: String
    private let pid: Int32
    let control: AgentConnection

    /// - Parameter blockDevices: what the agent takes for /sys/block.
    init(blockDevices: String = "/sys/block") throws {
        let name = "fc-agent-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        directory = "/tmp/" + name
        cgroup = (Self.cgroupRoot ?? "") + "/" + name
        for path in ["", "/shared", "/shared/0", "/root"] { try Directory.make(directory + path, mode: 0o755) }
        try Directory.make(cgroup, mode: 0o755)
        try Self.makeRoot(directory + "/shared/0/rootfs")
        let controlListener = try UnixSocket.listen(at: directory + "/control", nonBlocking: true)
        let streamListener = try UnixSocket.listen(at: directory + "/streams", nonBlocking: true)
        pid = try Process.spawn(
            Self.program, ["3", "4", directory + "/shared", directory + "/root", cgroup, blockDevices],
            descriptors: [3: controlListener.borrowed, 4: streamListener.borrowed])
        control = try AgentConnection(
            socket: try UnixSocket.connect(to: directory + "/control"), deadline: Deadline(after: .seconds(20)))
    }

    deinit {
        try? Process.kill(pid, SIGKILL)
        _ = try? Process.wait(for: pid)
        // What a failed test left running.
        if let file = try? FileDescriptor.open(cgroup + "/cgroup.kill", .writeOnly) { try? file.writeAll([0x31]) }
        // The killed are in it until they are reaped.
        let patience = Deadline(after: .seconds(5))
        repeat {
            for path in Self.tree(cgroup) { unsafe rmdir(path) }
            if (try? FileDescriptor.open(cgroup, .path)) == nil { break }
            SystemTime.sleep(milliseconds: 20)
        } while !patience.hasPassed
        for path in Self.tree(directory) { if unsafe unlink(path) != 0 { unsafe rmdir(path) } }
    }

    /// The program beside the tests.
    private static var program: String {
        let path = (try? Directory.link("exe", at: FileDescriptor.open("/proc/self", .path).release())) ?? ""
        return path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/AgentUnderTest"
    }

    /// Everything at and below `path`, the deepest first.
    private static func tree(_ path: String) -> [String] {
        guard let directory = try? FileDescriptor.open(path, [.directory, .noFollow]) else { return [path] }
        let entries = (try? Directory.entries(of: directory.borrowed)) ?? []
        return entries.flatMap { $0.isDirectory ? tree(path + "/" + $0.name) : [path + "/" + $0.name] } + [path]
    }

    private static func makeRoot(_ root: String) throws {
        for path in ["", "/bin", "/proc", "/sys", "/dev", "/etc", "/tmp"] {
            try Directory.make(root + path, mode: 0o755)
        }
        let program = try FileDescriptor.open(busybox).readAll(limit: 8 << 20)
        try FileDescriptor.open(root + "/bin/busybox", [.writeOnly, .create], mode: 0o755).writeAll(program)
        let bin = try FileDescriptor.open(root + "/bin", [.directory])
        for applet in [
            "sh", "cat", "ls", "id", "echo", "sleep", "head", "true", "pwd", "tty", "stty", "hostname", "readlink",
        ] {
            try FileNode.makeSymlink(applet, at: bin.borrowed, target: "busybox")
        }
        try FileDescriptor.open(root + "/etc/passwd", [.writeOnly, .create], mode: 0o644)
            .writeAll(Array("root:x:0:0::/root:/bin/sh\nu:x:1000:1000::/home/u:/bin/sh\n".utf8))
    }

    /// A file of the shared tree.
    func makeFile(_ path: String, _ text: String, mode: UInt32 = 0o644) throws {
        try FileDescriptor.open("\(directory)/shared/\(path)", [.writeOnly, .create], mode: mode)
            .writeAll(Array(text.utf8))
    }

    /// A container that runs `script` with what an ordinary document asks for.
    func plan(_ id: String, _ script: String) -> ContainerPlan {
        plan(id, ["sh", "-c", script])
    }

    func plan(_ id: String, _ arguments: [String]) -> ContainerPlan {
        var plan = ContainerPlan(
            id: id, process: process(arguments), root: RootPlan(.shared(path: "0/rootfs"), isReadOnly: false))
        func mount(_ destination: String, _ type: String, _ options: [String] = [], _ attributes: MountAttributes = [])
        {
            plan.mounts.append(
                MountPlan(
                    destination: destination,
                    source: .fileSystem(type: type, source: type, options: options, copiesUp: false),
                    attributes: attributes))
        }
        mount("/proc", "proc")
        mount("/dev", "tmpfs", ["mode=755"], .noSetUID)
        mount("/dev/pts", "devpts", ["newinstance", "ptmxmode=0666", "mode=0620"])
        mount("/sys", "sysfs", [], [.readOnly, .noSetUID])
        plan.namespaces = NamespaceKind.allCases.map { NamespacePlan(kind: $0) }
        plan.hostname = "box"
        return plan
    }

    func process(_ arguments: [String]) -> ProcessPlan {
        var process = ProcessPlan(arguments: arguments, environment: ["PATH=/bin"])
        let capabilities: UInt64 = 0xa804_25fb
        process.capabilities.bounding = capabilities
        process.capabilities.effective = capabilities
        process.capabilities.permitted = capabilities
        return process
    }
}
