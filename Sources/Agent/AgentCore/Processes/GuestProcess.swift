// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Glibc
import Linux
import SandboxPlan

/// A process the agent started for the host, from its fork until its end was told.
final class GuestProcess {
    /// How far it came on its way from a fork to a program.
    enum Stage {
        /// Forked; not yet what it is to be. `isReady`: it has all it needs to become its program, and said so.
        case launching(isReady: Bool)
        /// A container's first process that waits for Start.
        case created
        case starting
        case running
    }

    enum State {
        case alive(Stage)
        /// Reaped; its end is not told before everything in its container that ends with it has ended.
        case reaped(Process.ExitStatus, Stage)
        /// Everything is done: this is what Wait is answered.
        case ended(ProcessExit)
    }

    let name: ProcessName
    let pid: Int32
    let streams: GuestStreams
    private(set) var state = State.alive(.launching(isReady: false))
    private var waiters: [Reply] = []
    /// The signals that the host has sent it.
    var requestedSignals: Set<Int32> = []
    /// The connection that the process dies with.
    weak var owner: ControlConnection?
    let isOwned: Bool
    /// The kernel's kills for want of memory in the container when the process began.
    let outOfMemoryCount: UInt64

    /// Open until the process has become its program, or ended.
    private let channel: LaunchChannel
    /// Why it never ran.
    private var failure: LaunchFailure?
    /// Whose answer waits for the launch: Create's or Exec's, then Start's.
    private var launchReply: Reply?

    init(
        _ loop: EventLoop, name: ProcessName, pid: Int32, channel: consuming FileDescriptor, streams: GuestStreams,
        reply: Reply, isOwned: Bool, outOfMemoryCount: UInt64
    ) throws(Errno) {
        self.name = name
        self.pid = pid
        self.streams = streams
        self.isOwned = isOwned
        self.outOfMemoryCount = outOfMemoryCount
        owner = reply.connection
        launchReply = reply
        self.channel = try LaunchChannel(loop, channel)
        try self.channel.begin { [weak self] in self?.listen() }
    }

    private var isFirst: Bool { name.exec == nil }

    /// Not reaped.
    var isAlive: Bool { if case .alive = state { true } else { false } }

    /// Its end was told.
    var hasEnded: Bool { if case .ended = state { true } else { false } }

    /// Where it is, or was when it was reaped; nil once its end was told.
    var stage: Stage? {
        switch state {
        case .alive(let stage), .reaped(_, let stage): stage
        case .ended: nil
        }
    }

    /// Lets a created process become its program; `reply` is answered when it has, or when it could not.
    func start(_ reply: Reply) throws(AgentError) {
        if case .alive = state {
            launchReply = reply
            state = .alive(.starting)
        }
        try doing("start", try channel.sendStart())
    }

    /// SIGKILL, from whatever it was doing.
    func kill() {
        guard isAlive else { return }
        // Not reaped yet, so the number is still its own.
        try? Process.kill(pid, SIGKILL)
    }

    /// Answers `reply` when the process has ended.
    func wait(_ reply: Reply) {
        if case .ended(let exit) = state { reply.send(.exited(exit)) } else { waiters.append(reply) }
    }

    /// The process was reaped.
    func ended(_ status: Process.ExitStatus) {
        listen()
        // The channel's end may be held a moment longer by who forked it, so that no end of file was read yet; but
        // what was ready and said nothing more has become its program.
        becameProgram()
        guard case .alive(let stage) = state else { return }
        if case .launching = stage, failure == nil {
            failure = LaunchFailure(.lost, "the process ended while it was being made: \(status.text)")
        }
        state = .reaped(status, stage)
        channel.close()
    }

    /// Everything of the process is done: tells who waits.
    ///
    /// - Returns: true when a host process has the answer, or none is left that could ask.
    func tell(_ exit: ProcessExit) -> Bool {
        state = .ended(exit)
        streams.abandon()
        if let failure { launchReply?.fail(.launch(failure)) } else { launchReply?.send(.done) }
        launchReply = nil
        for waiter in waiters { waiter.send(.exited(exit)) }
        defer { waiters = [] }
        return waiters.contains { $0.connection != nil } || isOwned && owner == nil
    }

    /// Hears what the process says before it becomes another program.
    private func listen() {
        while true {
            switch channel.receive() {
            case .nothingYet: return
            case .failed: return channel.close()
            case .closed:
                becameProgram()
                return channel.close()
            case .message(.ready?, let terminal): isReady(terminal)
            case .message(.failed(let failure)?, _): self.failure = failure
            case .message(nil, _): failure = LaunchFailure(.lost, "the process said something unknown")
            }
        }
    }

    private func isReady(_ terminal: consuming FileDescriptor?) {
        if let terminal { try? streams.take(terminal: terminal) }
        guard isFirst else {
            state = .alive(.launching(isReady: true))
            return
        }
        state = .alive(.created)
        answerLaunch(.started(pid: UInt32(pid)))
    }

    /// The channel was closed by exec, where nothing went wrong before.
    private func becameProgram() {
        guard failure == nil else { return }
        switch state {
        case .alive(.starting):
            state = .alive(.running)
            answerLaunch(.done)
        case .alive(.launching(isReady: true)):
            // It may have ended by now: a program may be that quick.
            state = .alive(.running)
            answerLaunch(.started(pid: UInt32(pid)))
        default:
            break
        }
    }

    private func answerLaunch(_ answer: Answer) {
        launchReply?.send(answer)
        launchReply = nil
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
