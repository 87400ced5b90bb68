// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// Has the host's kernel say what the guest's did: that the container ran out of memory.
///
/// podman and docker do not ask the runtime. They listen at the memory cgroup of the process whose pid they were told (an eventfd on
/// memory.oom_control, or memory.events), and there a guest's shortage is none. So a child of this process is made to run
/// out of that cgroup's memory: the limit goes down to what is in use, the child takes more, is killed, since it asks to be
/// the first, and the limit goes back up. What it had until then is room for the others meanwhile. It takes 0.1 s, and is
/// done when the container has ended. (Version 1 could tell without a kill, memory.oom_control, but then holds up every process that needs memory in
/// the cgroup: this process, too.)
final class OutOfMemoryNotice {
    /// What the child takes at first: this much the others in the cgroup may still take, once it has gone. The kernel adds
    /// the limit to what the child has, as it asks to be the first, and goes by what each has mapped: with this it has
    /// more than an engine, whose program and libraries are charged elsewhere.
    private static let ballastByteCount = 96 << 20
    /// What it then takes at most, and the room that it is left.
    private static let excessByteCount = 64 << 20
    private static let reclaimableLimit: UInt64 = 1 << 30
    private static let marginByteCount: UInt64 = 4 << 20
    /// How long the cgroup may be short of memory, and how long listeners have until this process ends.
    private static let patience = Duration.seconds(2)
    private static let headStartMilliseconds: Int64 = 5

    /// The cgroup's files by name, and this process's oom_score_adj, open as long as this process lives. No directory is
    /// kept: it would lead a process that enters the container's namespaces to the host.
    private var open: [String: OpenFile] = [:]
    private final class OpenFile {
        let descriptor: FileDescriptor
        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
    }

    private static let score = "oom_score_adj"
    private let files: Files
    /// The files of a memory cgroup.
    private struct Files {
        let limit: String
        let usage: String
        /// What would keep the shortage away, or spread it, and the value with which it does not.
        let switches: [(name: String, value: String)]
        /// What the kernel would take back rather than tell: pages of files. Guest memory is none of them.
        let reclaimable: [String]

        static let versionOne = Files(
            limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes", switches: [("memory.swappiness", "0")],
            reclaimable: ["total_inactive_file", "total_active_file"])
        static let versionTwo = Files(
            limit: "memory.max", usage: "memory.current",
            switches: [("memory.swap.max", "0"), ("memory.oom.group", "0")],
            reclaimable: ["inactive_file", "active_file"])
    }

    /// - Parameters:
    ///   - cgroup: the open directory of the cgroup that this process is in.
    ///   - ownDescriptors: /proc/self/fd, from where this process's other files can be reached by `..`.
    init(cgroup: consuming FileDescriptor, ownDescriptors: borrowing FileDescriptor) throws(Errno) {
        let isVersionOne = (try? FileDescriptor.open(Files.versionOne.limit, at: cgroup.borrowed)) != nil
        files = isVersionOne ? .versionOne : .versionTwo
        for name in [files.limit] + files.switches.map(\.name) {
            open[name] = try? OpenFile(FileDescriptor.open(name, at: cgroup.borrowed, .readWrite))
        }
        for name in [files.usage, "memory.stat"] {
            open[name] = try? OpenFile(FileDescriptor.open(name, at: cgroup.borrowed))
        }
        open[Self.score] = try? OpenFile(
            FileDescriptor.open("../\(Self.score)", at: ownDescriptors.borrowed, .readWrite))
    }

    /// Makes the cgroup's memory run out, once. Where the kernel does not let it, nothing is changed and nothing told.
    func tell() {
        guard let limit = read(files.limit), let score = Int32(readScore() ?? "") else { return }
        var changed: [(name: String, value: String)] = []
        for (name, value) in files.switches {
            guard let before = read(name), write(name, value) else { continue }
            changed.append((name, before))
        }
        // The child is made with the score and keeps it: it may not be able to reach the file.
        let child = writeScore(1000) ? try? fork() : nil
        _ = writeScore(score)
        if let child, let pidfd = try? Process.descriptor(of: child) {
            _ = try? Poll.wait(pidfd.borrowed, .readable, until: Deadline(after: Self.patience))
        }
        write(files.limit, limit)
        for (name, value) in changed { write(name, value) }
        guard let child else { return }
        try? Process.kill(child, SIGKILL)
        _ = try? Process.wait(for: child)
        // Listeners hear of it before they hear of this process's end.
        SystemTime.sleep(milliseconds: Self.headStartMilliseconds)
    }

    private func fork() throws(Errno) -> Int32 {
        switch try Process.fork() {
        case .parent(let pid): return pid
        case .child:
            try? Process.setParentDeathSignal(SIGKILL)
            Self.take(Self.ballastByteCount)
            guard let usage = read(files.usage).flatMap({ UInt64($0) }) else { Process.exitNow(1) }
            let reclaimable = min(usage, reclaimableByteCount)
            // Version 1 does not take a limit that it cannot reach: some of those pages may be in use.
            for kept in [0, reclaimable / 2, reclaimable] {
                let short = usage - reclaimable + kept + Self.marginByteCount
                guard write(files.limit, String(short / 4096 * 4096)) else { continue }
                Self.take(Self.excessByteCount + Int(min(reclaimable, Self.reclaimableLimit)))
            }
            Process.exitNow(0)
        }
    }

    /// Takes memory for good, and touches it.
    private static func take(_ byteCount: Int) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 4096)
        for offset in stride(from: 0, to: byteCount, by: 4096) {
            // Within what was allocated.
            unsafe memory.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
        }
        // The address goes to the kernel, so that no compiler drops the stores as useless: it is what was allocated, and is
        // freed with the process.
        _ = unsafe try? syscall(__NR_madvise, memory.argument, byteCount, Int(MADV_NORMAL))
    }

    private var reclaimableByteCount: UInt64 {
        var sum: UInt64 = 0
        for line in (read("memory.stat") ?? "").split(at: "\n") {
            let words = line.words
            guard words.count == 2, let value = UInt64(words[1]), files.reclaimable.contains(String(words[0])) else {
                continue
            }
            sum &+= value
        }
        return sum
    }

    /// The text of one of the files, without the line's end.
    private func read(_ name: String) -> String? {
        guard let bytes = try? open[name]?.descriptor.readFromStart(limit: 65536) else { return nil }
        let end = bytes.last == UInt8(ascii: "\n") ? bytes.count - 1 : bytes.count
        return String(decoding: bytes[..<end], as: UTF8.self)
    }

    @discardableResult
    private func write(_ name: String, _ value: String) -> Bool {
        guard let file = open[name] else { return false }
        return (try? file.descriptor.writeAll(Array(value.utf8))) != nil
    }

    private func readScore() -> String? { read(Self.score) }

    private func writeScore(_ score: Int32) -> Bool { write(Self.score, "\(score)") }
}
