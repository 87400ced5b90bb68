// SPDX-License-Identifier: Apache-2.0
/// A process that containerd knows by name: a container's first, or one that exec adds.
final class TaskProcess {
    enum State {
        /// The container is being made: of its machine nothing may be there yet.
        case creating
        /// Made and not started.
        case created(Source)
        /// It is being started, and may end before that is done.
        case starting(Source, end: Exit?)
        case running(pid: Int32)
        case paused(pid: Int32)
        case stopped(pid: Int32, Exit)
    }

    /// What a process comes from.
    enum Source {
        /// A container's first: there is a process on the host that stands for it.
        case container(pid: Int32)
        /// A process object of the runtime-spec.
        case document([UInt8])
    }

    let container: String
    /// Empty: the container's first.
    let exec: String
    let io: StandardIO
    var state: State
    /// Kept open so that the process's input lasts beyond the clients that come and go, until CloseIO.
    private var inputWriter: OpenDescriptor?
    /// CloseIO came, perhaps before the process was there.
    private var isInputClosed = false
    /// The program that takes its output.
    var logger: Int32?
    /// A client asked for its end, or for another signal.
    var wasSignaled = false
    private var waiters: [(Exit) -> Void] = []

    init(container: String, exec: String = "", io: StandardIO, _ state: State) {
        self.container = container
        self.exec = exec
        self.io = io
        self.state = state
    }

    /// On the host; 0 before it exists.
    var pid: Int32 {
        switch state {
        case .created(.container(let pid)), .starting(.container(let pid), _): pid
        case .creating, .created(.document), .starting(.document, _): 0
        case .running(let pid), .paused(let pid), .stopped(let pid, _): pid
        }
    }

    var exit: Exit? {
        if case .stopped(_, let exit) = state { exit } else { nil }
    }

    /// Its program is running in the guest, or may be.
    var isLive: Bool {
        switch state {
        case .starting, .running, .paused: true
        case .creating, .created, .stopped: false
        }
    }

    /// Keeps the process's input open, unless it is to be closed already.
    func hold(_ writer: OpenDescriptor?) {
        if !isInputClosed { inputWriter = writer }
    }

    /// The process reads the end of its input once everybody else has let go of it, too.
    func closeInput() {
        isInputClosed = true
        inputWriter = nil
    }

    func wait(_ body: @escaping (Exit) -> Void) {
        if let exit { body(exit) } else { waiters.append(body) }
    }

    /// It has ended: all who wait get its exit, and its input is closed.
    func stop(_ exit: Exit) {
        state = .stopped(pid: pid, exit)
        inputWriter = nil
        let told = waiters
        waiters = []
        for waiter in told { waiter(exit) }
    }
}
