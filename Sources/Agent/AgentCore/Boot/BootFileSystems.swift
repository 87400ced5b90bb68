// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import SandboxPlan

/// The guest's own file systems.
enum BootFileSystems {
    /// What a kernel shows of itself; /proc may be there already (see CAgentStart).
    static func mountFirst() throws(Errno) {
        for name in ["/proc", "/sys", "/dev", "/new"] { try makeDirectory(name) }
        try mount("sysfs", on: "/sys", safe)
        if (try? FileDescriptor.open("/proc/self", .path)) == nil { try mount("proc", on: "/proc", safe) }
        try mount("devtmpfs", on: "/dev", [.noSetUID, .noExecute], options: ["mode=0755"])
    }

    /// Leaves the initramfs, which no pivot_root(2) of a container's could leave, for a tmpfs; and empties it:
    /// what is not there takes no memory and cannot be reached.
    static func changeRoot() throws(Errno) {
        let root = try Mount.make("tmpfs", source: "root", options: ["mode=0755", "size=16m"])
        for name in ["proc", "sys", "dev", "run", "tmp"] { try Directory.make(name, at: root.borrowed) }
        try Mount.attach(root.borrowed, on: BorrowedDescriptor.currentDirectory, path: "/new")
        for name in ["proc", "sys", "dev"] { try Mount.move("/" + name, on: root.borrowed, path: name) }
        let old = try FileDescriptor.open("/", .directory)
        try Mount.move("/new", on: BorrowedDescriptor.currentDirectory, path: "/")
        try empty(old.borrowed, depth: 0)
        try Process.changeRoot(to: root.borrowed)
        try mount("tmpfs", on: "/run", [.noSetUID, .noDevices, .noExecute], options: ["mode=0755"])
        try mount("tmpfs", on: "/tmp", [.noSetUID, .noDevices], options: ["mode=1777"])
        try makeDirectory("/dev/pts")
        try mount("devpts", on: "/dev/pts", [.noSetUID, .noExecute], options: ["mode=0620", "ptmxmode=0666", "gid=5"])
        try makeDirectory("/dev/shm")
        try mount("tmpfs", on: "/dev/shm", [.noSetUID, .noDevices], options: ["mode=1777"])
    }

    /// cgroup v2, with every controller there is handed down to the containers.
    static func makeCgroups(_ directory: String) throws(Errno) {
        let root = "/sys/fs/cgroup"
        do {
            try mount("cgroup2", on: root, safe, options: ["nsdelegate", "memory_recursiveprot"])
        } catch  where error == .invalidArgument {
            try mount("cgroup2", on: root, safe)
        }
        try makeDirectory(directory)
        var all: [UInt8] = []
        for name in Boot.words(try FileDescriptor.open(root + "/cgroup.controllers").read(upTo: 4096)) {
            all.append(UInt8(ascii: "+"))
            all += name
            all.append(UInt8(ascii: " "))
        }
        for place in [root, directory] {
            try FileDescriptor.open(place + "/cgroup.subtree_control", .writeOnly).writeAll(all)
        }
    }

    /// The host's shared tree, and the place containers' roots go.
    static func mountShared(_ settings: AgentSettings) throws(Errno) {
        for name in ["/run/fc", settings.sharedDirectory, settings.rootMountPoint] { try makeDirectory(name) }
        // A name of its own: a temporary would be closed once its number was read.
        let shared = try Mount.make("virtiofs", source: GuestConvention.sharedTag)
        try Mount.attach(shared.borrowed, on: BorrowedDescriptor.currentDirectory, path: settings.sharedDirectory)
    }

    private static let safe: Mount.Attributes = [.noSetUID, .noDevices, .noExecute]

    private static func mount(
        _ type: String, on path: String, _ attributes: Mount.Attributes, options: [String] = []
    ) throws(Errno) {
        let made = try Mount.make(type, source: type, options: options, attributes: attributes)
        try Mount.attach(made.borrowed, on: BorrowedDescriptor.currentDirectory, path: path)
    }

    private static func makeDirectory(_ path: String) throws(Errno) {
        do {
            try Directory.make(path)
        } catch  where error == .exists {}
    }

    /// Removes everything below `directory` that is on its own file system and can be removed.
    private static func empty(_ directory: BorrowedDescriptor, depth: Int) throws(Errno) {
        guard depth < 8 else { return }
        for entry in try Directory.entries(of: directory) {
            if entry.isDirectory,
                let child = try? FileDescriptor.open(
                    entry.name, at: directory, [.directory, .noFollow], resolve: .noCrossMount)
            {
                try empty(child.borrowed, depth: depth + 1)
            }
            try? Directory.remove(entry.name, at: directory, isDirectory: entry.isDirectory)
        }
    }
}
