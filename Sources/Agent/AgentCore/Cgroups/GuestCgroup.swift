// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import SandboxPlan

/// One container's cgroup, v2.
final class GuestCgroup {
    /// Open, for clone3(2) and for names below it.
    let directory: FileDescriptor
    private let name: String
    private let parent: FileDescriptor
    private var deviceProgram: FileDescriptor?
    /// How often the kernel has killed for want of memory so far.
    private(set) var outOfMemoryCount: UInt64 = 0

    /// The directory's name: one that no interface file of the parent has.
    static func name(of container: String) -> String { "container-\(container)" }

    /// Makes the cgroup of `container` below the open directory `parent`.
    init(container: String, below parent: borrowing FileDescriptor) throws(AgentError) {
        let name = Self.name(of: container)
        self.name = name
        self.parent = try doing("cgroup", try parent.duplicate())
        let parent = parent.borrowed
        directory = try doing("cgroup") { () throws(Errno) in
            try Directory.make(name, at: parent)
            return try FileDescriptor.open(name, at: parent, .directory)
        }
    }

    /// Writes the plan's files and installs its device rules, in the place of earlier ones.
    func apply(_ resources: ResourcePlan) throws(AgentError) {
        for file in resources.files {
            let isName = file.name.utf8.allSatisfy {
                (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2e || $0 == 0x5f
                    || (0x41...0x5a).contains($0)
            }
            guard isName, file.name.utf8.contains(UInt8(ascii: ".")), !file.name.begins(with: "."),
                !file.name.begins(with: "cgroup.")
            else {
                throw .invalidResource(file.name)
            }
            do {
                try write(file.name, file.value)
            } catch {
                throw .resource(file: file.name, value: file.value, error)
            }
        }
        guard let rules = resources.deviceRules else { return }
        let cgroup = directory.borrowed
        let replaced = deviceProgram?.borrowed
        deviceProgram = try doing("device rules") { () throws(Errno) in
            let program = try DeviceProgram.load(DeviceFilter.program(for: rules))
            try DeviceProgram.attach(program, to: cgroup, replacing: replaced)
            return program
        }
    }

    func write(_ file: String, _ value: String) throws(Errno) {
        try FileDescriptor.open(file, at: directory.borrowed, .writeOnly).writeAll(Array(value.utf8))
    }

    /// The text of `file`; nil if it cannot be read.
    func read(_ file: String) -> String? {
        readBytes(file).map { String(decoding: $0, as: UTF8.self) }
    }

    private func readBytes(_ file: String) -> [UInt8]? {
        try? FileDescriptor.open(file, at: directory.borrowed).readAll(limit: 1 << 20)
    }

    /// The number after `key` in a file of lines `key number`.
    func number(_ key: String, in file: String) -> UInt64? {
        guard let bytes = readBytes(file) else { return nil }
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "))
            guard words.count == 2, words[0].elementsEqual(key.utf8) else { continue }
            return UInt64(String(decoding: words[1], as: UTF8.self))
        }
        return nil
    }

    var isPopulated: Bool { number("populated", in: "cgroup.events") == 1 }
    var isFrozen: Bool { number("frozen", in: "cgroup.events") == 1 }

    /// Looks at memory.events; true where the kernel has killed since the last look.
    func countOutOfMemory() -> Bool {
        let count = number("oom_kill", in: "memory.events") ?? 0
        defer { outOfMemoryCount = count }
        return count > outOfMemoryCount
    }

    func freeze(_ isOn: Bool) throws(AgentError) {
        try doing("freeze", try write("cgroup.freeze", isOn ? "1" : "0"))
    }

    /// SIGKILL to everything in the cgroup and below, at once.
    func kill() throws(AgentError) {
        try doing("kill", try write("cgroup.kill", "1"))
    }

    /// The directory of the cgroup below this one that `pid` is in.
    func directory(of pid: Int32) throws(Errno) -> FileDescriptor {
        let text = String(decoding: try FileDescriptor.open("/proc/\(pid)/cgroup").readAll(limit: 65536), as: UTF8.self)
        // The line of v2 is 0::PATH.
        let path = text.split(at: "\n").lazy.compactMap { $0.after("0::") }.first ?? ""
        let below = String(path).pathNames.drop { $0 != name }.dropFirst()
        guard !below.isEmpty else { throw .noSuchFile }
        return try FileDescriptor.open(
            below.joined(separator: "/"), at: directory.borrowed, .directory, resolve: [.beneath, .noSymlinks])
    }

    /// The processes in the cgroup and below, by pid.
    func processes() -> [Int32] {
        var pids: [Int32] = []
        visit(directory.borrowed, depth: 0) { directory in
            guard let bytes = try? FileDescriptor.open("cgroup.procs", at: directory).readAll(limit: 4 << 20) else {
                return
            }
            pids += String(decoding: bytes, as: UTF8.self).split(at: "\n").compactMap { Int32($0) }
        }
        return pids
    }

    /// Removes the cgroup and what the container made below it. Nothing may run in it any more.
    func remove() throws(AgentError) {
        visit(directory.borrowed, depth: 0) { directory in
            for name in (try? Directory.subdirectories(of: directory)) ?? [] {
                try? Directory.remove(name, at: directory, isDirectory: true)
            }
        }
        try doing("cgroup", try Directory.remove(name, at: parent.borrowed, isDirectory: true))
    }

    /// Calls `body` with each directory below and with `directory` itself, the deepest first.
    private func visit(_ directory: BorrowedDescriptor, depth: Int, _ body: (BorrowedDescriptor) -> Void) {
        // Deeper than the kernel's own default limit is nothing a container can make.
        guard depth < 64 else { return }
        if let again = try? FileDescriptor.open(".", at: directory, .directory) {
            for name in (try? Directory.subdirectories(of: again.borrowed)) ?? [] {
                guard let child = try? FileDescriptor.open(name, at: again.borrowed, [.directory, .noFollow]) else {
                    continue
                }
                visit(child.borrowed, depth: depth + 1, body)
            }
        }
        if let again = try? FileDescriptor.open(".", at: directory, .directory) { body(again.borrowed) }
    }
}
