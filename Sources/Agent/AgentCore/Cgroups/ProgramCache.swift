// SPDX-License-Identifier: Apache-2.0
import Linux
import SandboxPlan

/// Keeps programs in memory whose containers are short of it.
///
/// On a host a program's pages are there before its container is, and charged to no limit. Here the container is the
/// first to read them, and is charged. Close to its limit the kernel takes a page of the program for each page of data, the
/// program reads it again from the host, and so on: it neither gets on nor ends, for as long as half an hour. So when a
/// container stalls for want of memory, a process in a cgroup of its own reads what the container's have mapped of
/// programs. What is read there is charged there, and what is short of memory leaves it alone: the container then gets on
/// as on a host, or runs out of memory at once.
final class ProgramCache {
    /// The most that programs may keep, and no more than a quarter of the machine's memory.
    private static let byteLimit: UInt64 = 64 << 20
    /// Whose programs are looked at, at most.
    private static let processLimit = 128
    private static let mapsByteLimit = 1 << 20
    /// Bytes of addresses, whole pages: the kernel reads no more ahead at once.
    private static let step = 128 << 10
    /// Nanoseconds between two times that pages are taken from containers.
    private static let takingPause: Int64 = 3_000_000_000
    /// How often one reader looks, and how long it waits between: what it finds in memory may go meanwhile.
    private static let rounds = 4
    private static let roundMilliseconds: Int64 = 20
    /// Nanoseconds, more than it takes to ask for everything.
    private static let timeLimit: Int64 = 10_000_000_000

    private let directory: String
    private var cgroup: FileDescriptor?
    /// The process that reads, and when it began.
    private var reader: (pid: Int32, since: Int64)?
    private var lastTaking: Int64?

    /// - Parameter directory: the cgroup to be, a sibling of the containers'. It is made when it is needed.
    init(directory: String) { self.directory = directory }

    /// Has the programs of `container` read, unless that is being done for one.
    func read(for container: GuestCgroup) {
        if let reader {
            if SystemTime.monotonicNanoseconds() - reader.since > Self.timeLimit { try? Process.kill(reader.pid, 9) }
            return
        }
        guard let cgroup = try? openCgroup() else { return }
        let now = SystemTime.monotonicNanoseconds()
        let takes = lastTaking.map { now - $0 > Self.takingPause } ?? true
        if takes { lastTaking = now }
        let pids = container.processes().prefix(Self.processLimit)
        switch try? Process.fork(cgroup: cgroup) {
        case .child?:
            // It holds nothing of the agent's open, and is the first to go where memory is short.
            try? ProcessSettings.leaveAgent(keeping: [])
            try? FileDescriptor.open("/proc/self/oom_score_adj", .writeOnly).writeAll(Array("1000".utf8))
            Process.setName("programs")
            for round in 0..<Self.rounds {
                if round > 0 { SystemTime.sleep(milliseconds: Self.roundMilliseconds) }
                Self.read(pids, taking: takes && round == 0)
            }
            Process.exitNow(0)
        case .parent(let pid)?: reader = (pid, now)
        case nil: break
        }
    }

    /// The agent has reaped `pid`, which may be the reader.
    func reaped(_ pid: Int32) {
        if reader?.pid == pid { reader = nil }
    }

    private func openCgroup() throws(Errno) -> BorrowedDescriptor {
        if let cgroup = cgroup?.borrowed { return cgroup }
        do throws(Errno) {
            try Directory.make(directory)
        } catch .exists {}
        let opened = try FileDescriptor.open(directory, .directory)
        let limit = String(min(Self.byteLimit, Self.memoryByteCount() / 4))
        for file in ["memory.max", "memory.min"] {
            try FileDescriptor.open(file, at: opened.borrowed, .writeOnly).writeAll(Array(limit.utf8))
        }
        let result = opened.borrowed
        cgroup = consume opened
        return result
    }

    /// The machine's, as its kernel counts it.
    private static func memoryByteCount() -> UInt64 {
        let bytes = (try? FileDescriptor.open("/proc/meminfo").read(upTo: 256)) ?? []
        let words = String(decoding: bytes, as: UTF8.self).words
        guard words.count > 1, words[0].isSame(as: "MemTotal:"), let kibibytes = UInt64(words[1]) else { return 0 }
        return kibibytes << 10
    }

    /// What the reader does: each piece of each file once, however many have it mapped.
    ///
    /// - Parameter taking: what is there is taken from memory first. Where the container was charged with it, the reader
    ///   is from then on.
    private static func read(_ pids: some Sequence<Int32>, taking: Bool) {
        // A mapping that ends, or a process, makes an error of what is asked next, and no more.
        var seen: Set<[UInt8]> = []
        var left = Int(byteLimit)
        for pid in pids {
            guard let pidfd = try? Process.descriptor(of: pid),
                let maps = try? FileDescriptor.open("/proc/\(pid)/maps").readAll(limit: mapsByteLimit)
            else { continue }
            for piece in MappedPrograms(maps: maps).pieces {
                guard seen.insert(piece.file + Array(" \(piece.offset)".utf8)).inserted else { continue }
                for start in stride(from: piece.addresses.lowerBound, to: piece.addresses.upperBound, by: Self.step) {
                    guard left > 0 else { return }
                    let end = min(piece.addresses.upperBound, start + UInt(Self.step))
                    left -= Int(end - start)
                    if taking, !piece.isWritable { try? MemoryAdvice.pageOut(start..<end, of: pidfd.borrowed) }
                    try? MemoryAdvice.willNeed(start..<end, of: pidfd.borrowed)
                }
            }
        }
    }
}
