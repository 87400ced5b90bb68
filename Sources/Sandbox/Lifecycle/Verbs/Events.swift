// SPDX-License-Identifier: Apache-2.0
import AgentClient
import AgentProtocol
import Cgroup
import Linux
public import OCISpec
import RuntimeState

extension Runtime {
    /// Tells what a container uses now, once. As runc, refuses an interval that is none of ``events(_:every:tell:)``.
    public func statistics(_ id: String, every interval: Duration, tell: (Event) -> Void) throws(RuntimeError) {
        let (record, _) = try running(id, interval)
        tell(try statistics(of: record, from: files(of: record).connect()))
    }

    /// Tells what a container uses, every `interval`, and whenever the kernel has killed in it for want of memory,
    /// until it stops.
    public func events(_ id: String, every interval: Duration, tell: (Event) -> Void) throws(RuntimeError) {
        let (record, process) = try running(id, interval)
        let connection = try files(of: record).connect()
        guard let held = process.open() else { return }
        var watch = try EventWatch(container: record.id, process: held, connection: connection)
        while true {
            let tick = Deadline(after: interval)
            repeat {
                let news = try watch.wait(until: tick)
                if news.ranOutOfMemory { tell(Event(.oom, id: record.id)) }
                if news.hasStopped { return }
            } while !tick.hasPassed
            // As runc has it: what could not be told is logged, and the next may be better.
            do throws(RuntimeError) {
                let connection: AgentConnection
                if let open = watch.connection {
                    connection = open
                } else {
                    connection = try files(of: record).connect()
                    try watch.follow(connection)
                }
                tell(try statistics(of: record, from: connection))
            } catch {
                watch.letGo()
                // It may have stopped meanwhile, and then that is why.
                if process.isAlive { log(.error, "\(error)") }
            }
        }
    }

    /// The container and its process, in runc's order of what may be wrong.
    private func running(
        _ id: String, _ interval: Duration
    ) throws(RuntimeError) -> (ContainerRecord, ProcessIdentity) {
        let record = try record(containerID(id))
        guard interval > .zero else { throw .intervalNotPositive }
        guard record.currentStatus != .stopped, let process = record.process else { throw .notRunning(id: record.id) }
        return (record, process)
    }

    /// The files of the container's cgroup in the guest, by name, as they are now: `cpu.stat`, `memory.current`,
    /// `memory.events`, `pids.current`, `io.stat` and others, as far as their controllers are there.
    public func cgroupFigures(_ id: String) throws(RuntimeError) -> [String: String] {
        let record = try record(containerID(id))
        guard record.currentStatus != .stopped else { throw .notRunning(id: record.id) }
        return try figures(of: record, from: files(of: record).connect())
    }

    private func figures(
        of record: ContainerRecord, from connection: AgentConnection
    ) throws(RuntimeError) -> [String: String] {
        guard case .statistics(let files) = try connection.ask(.stats(container: record.id)) else {
            throw .agent(.unexpectedAnswer(operation: "stats"))
        }
        return Dictionary(files.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    private func statistics(
        of record: ContainerRecord, from connection: AgentConnection
    ) throws(RuntimeError) -> Event {
        let figures = try figures(of: record, from: connection)
        var statistics = try wrapping(RuntimeError.statistics, Statistics(cgroupFiles: figures))
        do {
            statistics.microvm = try files(of: record).monitorReport()
        } catch {
            log(.warning, "\(error)")
        }
        return Event(.stats, id: record.id, statistics: statistics)
    }
}

/// What is waited for between two looks at a container's figures: its end, and what its agent says unasked.
private struct EventWatch: ~Copyable {
    /// How many messages are read at a time, and how long until the next report that memory ran out: a guest can send
    /// them as often as it likes.
    private static let messageLimit = 1024
    private static let quiet = Duration.seconds(1)
    private static let processToken: UInt64 = 0
    private static let agentToken: UInt64 = 1

    struct News {
        var ranOutOfMemory = false
        var hasStopped = false
    }

    private let container: String
    private let epoll: Epoll
    /// A pidfd.
    private let process: FileDescriptor
    private(set) var connection: AgentConnection?
    private var isOutOfMemory = false
    private var quietUntil = Deadline(after: .zero)

    init(container: String, process: consuming FileDescriptor, connection: AgentConnection) throws(RuntimeError) {
        let set = try wrapping(RuntimeError.watch) { () throws(Errno) in
            let set = try Epoll()
            try set.add(process.borrowed, .readable, token: Self.processToken)
            try set.add(connection.descriptor, .readable, token: Self.agentToken)
            return set
        }
        self.container = container
        self.connection = connection
        epoll = set
        self.process = process
    }

    /// Takes a connection to the agent in place of one that was let go of.
    mutating func follow(_ connection: AgentConnection) throws(RuntimeError) {
        do {
            try epoll.add(connection.descriptor, .readable, token: Self.agentToken)
        } catch {
            throw .watch(error)
        }
        self.connection = connection
    }

    /// The connection is of no more use; closing it ends its being watched.
    mutating func letGo() { connection = nil }

    /// Waits for something to tell, until `deadline` at the latest.
    mutating func wait(until deadline: Deadline) throws(RuntimeError) -> News {
        var news = News()
        // What came while an answer was waited for does not wake the poll.
        listen()
        let left = isOutOfMemory ? min(deadline.nanosecondsLeft, quietUntil.nanosecondsLeft) : deadline.nanosecondsLeft
        let milliseconds = Int32(clamping: min(3_600_000, left / 1_000_000 + (left % 1_000_000 > 0 ? 1 : 0)))
        let ready: [Epoll.Event]
        do { ready = try epoll.wait(milliseconds: milliseconds) } catch { throw .watch(error) }
        news.hasStopped = ready.contains { $0.token == Self.processToken }
        // What the agent said before the end counts too.
        if news.hasStopped || ready.contains(where: { $0.token == Self.agentToken }) { listen() }
        if isOutOfMemory, news.hasStopped || quietUntil.hasPassed {
            isOutOfMemory = false
            quietUntil = Deadline(after: Self.quiet)
            news.ranOutOfMemory = true
        }
        return news
    }

    private mutating func listen() {
        do {
            for _ in 0..<Self.messageLimit {
                guard let message = try connection?.receive() else { return }
                if case .event(container: container, kind: "oom") = message.answer { isOutOfMemory = true }
            }
        } catch {
            // The next look at the figures connects again, or says why it cannot.
            connection = nil
        }
    }
}
