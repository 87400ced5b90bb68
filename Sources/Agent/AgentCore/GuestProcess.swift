import AgentProtocol
import Glibc
import Linux
import SandboxPlan

/// A process the agent started for the host, from its fork until its end was told.
final class GuestProcess {
    enum Phase {
        /// Forked; not yet what it is to be.
        case launching
        /// A container's first process that waits for Start.
        case created
        case starting
        case running
        case ended
    }

    let name: ProcessName
    let pid: Int32
    let streams: ProcessStreams
    private(set) var phase = Phase.launching
    /// How the process ended, as soon as it was reaped; its output may still be on the way.
    private(set) var status: Process.ExitStatus?
    /// Why it never ran.
    private(set) var failure: LaunchFailure?
    /// What Wait is answered, once everything is done.
    private(set) var exit: ProcessExit?
    /// It has all it needs to become its program, and said so.
    private var wasReady = false
    private var waiters: [Reply] = []
    /// Who waits for the end alone, and how that was.
    private var endWaiters: [Reply] = []
    private var end: ProcessExit?
    /// Whose answer waits for the launch: Create's or Exec's, then Start's.
    private var launchReply: Reply?
    /// The connection that the process dies with.
    weak var owner: ControlConnection?
    let isOwned: Bool
    /// The kernel's kills for want of memory in the container when the process began.
    let outOfMemoryCount: UInt64

    private let loop: EventLoop
    private var channel: FileDescriptor?
    private var watch: EventLoop.Watch?

    init(
        _ loop: EventLoop, name: ProcessName, pid: Int32, channel: consuming FileDescriptor, streams: ProcessStreams,
        reply: Reply, isOwned: Bool, outOfMemoryCount: UInt64
    ) throws(Errno) {
        self.loop = loop
        self.name = name
        self.pid = pid
        self.streams = streams
        self.isOwned = isOwned
        self.outOfMemoryCount = outOfMemoryCount
        owner = reply.connection
        launchReply = reply
        try channel.setNonBlocking(true)
        let number = channel.rawValue
        self.channel = consume channel
        watch = try loop.watch(number, .readable) { [weak self] _ in self?.listen() }
    }

    private var isFirst: Bool { name.exec == nil }

    /// Lets a created process become its program; `reply` is answered when it has, or when it could not.
    func start(_ reply: Reply) throws(AgentError) {
        launchReply = reply
        phase = .starting
        let number = channel?.rawValue ?? -1
        try doing("start") { () throws(Errno) in try DescriptorPassing.send([1], [], on: number) }
    }

    /// SIGKILL, from whatever it was doing.
    func kill() {
        guard status == nil else { return }
        // Not reaped yet, so the number is still its own.
        try? Process.kill(pid, SIGKILL)
    }

    /// Answers `reply` when the process has ended and its output was handed over.
    func wait(_ reply: Reply) {
        if let exit { reply.send(.exited(exit)) } else { waiters.append(reply) }
    }

    /// Answers `reply` when the process has ended, be its output handed over or not.
    func waitForEnd(_ reply: Reply) {
        if let end { reply.send(.exited(end)) } else { endWaiters.append(reply) }
    }

    /// Tells who waits for no more than the end.
    func tellEnd(_ end: ProcessExit) {
        self.end = end
        for waiter in endWaiters { waiter.send(.exited(end)) }
        endWaiters = []
    }

    /// The process was reaped.
    func ended(_ status: Process.ExitStatus) {
        listen()
        // The channel's end may be held a moment longer by who forked it, so that no end of file was read yet; but
        // what was ready and said nothing more has become its program.
        if wasReady { becameProgram() }
        self.status = status
        if phase == .launching, failure == nil {
            failure = LaunchFailure(.lost, "the process ended while it was being made: \(status.text)")
        }
        closeChannel()
    }

    /// Everything of the process is done: tells who waits.
    ///
    /// - Returns: somebody was told, or nobody is left to ask.
    func tell(_ exit: ProcessExit) -> Bool {
        self.exit = exit
        phase = .ended
        streams.abandon()
        if let failure {
            launchReply?.fail(.launch(failure))
        } else {
            launchReply?.send(.done)
        }
        launchReply = nil
        for waiter in waiters { waiter.send(.exited(exit)) }
        defer { waiters = [] }
        return waiters.contains { $0.connection != nil } || isOwned && owner == nil
    }

    /// Hears what the process says before it becomes another program.
    private func listen() {
        while let number = channel?.rawValue {
            let packet: (bytes: [UInt8], descriptors: [Int32])
            do throws(Errno) {
                packet = try DescriptorPassing.receive(upTo: LaunchMessage.limit, maximum: 1, from: number)
            } catch {
                if error != .wouldBlock { closeChannel() }
                return
            }
            let master = packet.descriptors.first.map { FileDescriptor(owning: $0) }
            if packet.bytes.isEmpty { return becameProgram() }
            switch LaunchMessage(packet.bytes) {
            case .ready?: isReady(master)
            case .failed(let failure)?: self.failure = failure
            case nil: failure = LaunchFailure(.lost, "the process said something unknown")
            }
        }
    }

    private func isReady(_ master: consuming FileDescriptor?) {
        if let master { try? streams.take(terminal: master) }
        wasReady = true
        guard isFirst else { return }
        phase = .created
        launchReply?.send(.started(pid: UInt32(pid)))
        launchReply = nil
    }

    /// The channel was closed: by exec, where nothing went wrong before.
    private func becameProgram() {
        closeChannel()
        guard failure == nil, status == nil else { return }
        switch phase {
        case .starting:
            phase = .running
            launchReply?.send(.done)
            launchReply = nil
        case .launching where !isFirst && wasReady:
            // It may have ended by now: a program may be that quick.
            phase = .running
            launchReply?.send(.started(pid: UInt32(pid)))
            launchReply = nil
        default:
            break
        }
    }

    private func closeChannel() {
        if let watch { loop.ignore(watch) }
        watch = nil
        channel = nil
    }
}

extension Process.ExitStatus {
    var text: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .signaled(let signal): "signal \(signal)"
        }
    }

    /// As the protocol has it.
    var wire: ProcessExit.Status {
        switch self {
        case .exited(let code): .exited(code: UInt8(truncatingIfNeeded: code))
        case .signaled(let signal): .signaled(signal: signal)
        }
    }
}
