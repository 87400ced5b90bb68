// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Glibc
import Linux
import ProgramArguments
import SandboxPlan

/// Stands on the host for one process in the guest: carries its streams, hands on signals and window sizes, and
/// ends as it did.
///
/// It ends when the process has ended and the caller has taken what that wrote, or takes nothing for a while. What then
/// is still to be carried, a copy of this process carries (``StreamRelay``), as the caller's own pipe would hold what
/// is still unread, and the process's children hold the pipe.
public final class ProcessProxy {
    /// Requests up to here were made on the connection by who opened it.
    static let firstRequest: UInt64 = 1 << 32
    /// How long the caller may take nothing of what an ended process wrote, in milliseconds, and how long where the
    /// process's end was asked for: a kill does not wait for a reader.
    static let defaultStallMilliseconds: Int32 = 5000
    static let requestedStallMilliseconds: Int32 = 500

    private let name: ProcessName
    private let control: FileDescriptor
    private let signals: SignalDescriptor
    private var frames = FrameReader()
    private var nextRequest = firstRequest
    private var outgoing: [UInt8] = []
    private var input: StreamPump?
    private var output: StreamPump?
    private var error: StreamPump?
    private let terminal: BorrowedDescriptor?
    private let shortage: OutOfMemoryNotice?
    private var end: ProcessExit?
    private let stallMilliseconds: Int32
    /// What keeps the namespaces that this process is in.
    private let namespaces: BorrowedDescriptor?
    /// When something was last carried, or the process ended.
    private var lastProgress = SystemTime.monotonicNanoseconds()

    /// The program: carries out its orders, and ends as the guest's process did.
    public static func main() -> Never {
        let words = CommandLine.arguments.dropFirst()
        // A proxy that takes orders has the command line of the process that it stands for.
        // Only whether it is there: the string is not read, and no thread changes the environment.
        let takesOrders = unsafe getenv(ProxyOrder.variable) != nil
        if !takesOrders, let mode = words.first {
            if mode == SocketServerArguments.mode { BoundSocketServer.main(Array(words.dropFirst())) }
            if mode == ResolverServerArguments.mode { ResolverServer.main(Array(words.dropFirst())) }
        }
        do {
            switch try ProxyProgram.run() {
            case .exited(let code): Process.exitNow(Int32(code))
            case .signaled(let signal): Process.die(of: signal)
            }
        } catch {
            try? BorrowedDescriptor.standardError.writeAll(Array("fc-proxy: \(error)\n".utf8))
            Process.exitNow(1)
        }
    }

    /// Stands for the process of `arguments` until that has ended.
    ///
    /// - Parameter namespaces: held, never used: the namespaces that this process is in stay for as long as a
    ///   process holds it.
    static func serve(
        _ arguments: ProxyArguments, namespaces: BorrowedDescriptor?, _ files: consuming HostFiles
    ) throws(Errno) -> ProcessExit.Status {
        var raw: RawTerminal? = nil
        if arguments.hasTerminal {
            // In a session of its own the terminal becomes its controlling one; in the caller's it is already.
            try? Pseudoterminal.makeControlling(BorrowedDescriptor.standardInput)
            // The guest's process has its terminal even where the caller has none, as under `exec -t </dev/null`.
            raw = try? RawTerminal(.standardInput, keepsOutputProcessing: arguments.keepsNewlines)
        }
        let proxy = try ProcessProxy(arguments, namespaces: namespaces, files)
        // Nothing by which a process that enters these namespaces could leave them: /proc/PID/fd leads to what is open.
        _ = consume files
        let end = proxy.serve()
        raw?.restore()
        return end
    }

    init(_ arguments: ProxyArguments, namespaces: BorrowedDescriptor?, _ files: borrowing HostFiles) throws(Errno) {
        signals = try SignalDescriptor()
        name = ProcessName(container: arguments.container, exec: arguments.exec)
        self.namespaces = namespaces
        stallMilliseconds = arguments.stallMilliseconds ?? Self.defaultStallMilliseconds
        control = FileDescriptor(owning: arguments.control)
        try control.setNonBlocking(true)
        if let number = arguments.input {
            let stream = FileDescriptor(owning: number)
            try stream.setNonBlocking(true)
            input = StreamPump(
                from: try CallerStream.nonBlocking(.standardInput, [], files), to: stream, endsByShutdown: true)
        }
        if let number = arguments.output {
            let stream = FileDescriptor(owning: number)
            try stream.setNonBlocking(true)
            output = StreamPump(
                from: stream, to: try CallerStream.nonBlocking(.standardOutput, .writeOnly, files),
                endsByShutdown: false)
        }
        if let number = arguments.error {
            let stream = FileDescriptor(owning: number)
            try stream.setNonBlocking(true)
            error = StreamPump(
                from: stream, to: try CallerStream.nonBlocking(.standardError, .writeOnly, files), endsByShutdown: false
            )
        }
        terminal = arguments.hasTerminal ? .standardInput : nil
        shortage = try arguments.memoryCgroup.map { (number) throws(Errno) in
            try OutOfMemoryNotice(cgroup: FileDescriptor(owning: number), ownDescriptors: files.ownDescriptors)
        }
        // The caller sees its pipe end when the streams do, not when this process goes.
        try Self.releaseStandardStreams(files.null.borrowed, keepingInput: arguments.hasTerminal)
    }

    /// Puts /dev/null in the place of the caller's streams, now that the pumps hold them.
    private static func releaseStandardStreams(_ null: BorrowedDescriptor, keepingInput: Bool) throws(Errno) {
        for number: Int32 in (keepingInput ? 1 : 0)...2 { try FileDescriptor.assign(number, from: null) }
    }

    /// Relays until the process has ended and its output is delivered, or the caller takes no more.
    func serve() -> ProcessExit.Status {
        send(.wait(name))
        tellSize()
        while true {
            if let end, isOver(end) {
                // Last of all: nothing is left to lose by then.
                if end.ranOutOfMemory { shortage?.tell() }
                return end.status
            }
            poll()
        }
    }

    /// Whether nothing is left to be done here for a process that ended as `end` says.
    private func isOver(_ end: ProcessExit) -> Bool {
        let isDelivered =
            Self.isDelivered(output, end.outputByteCount) && Self.isDelivered(error, end.errorByteCount)
        guard isDelivered || patience(end) == 0 else { return false }
        // Of a process that was killed no more is owed than its reader has taken.
        if !isDelivered, end.wasRequested { return true }
        if output == nil, error == nil { return true }
        // Where there can be no copy, this process stays, rather than lose something.
        return StreamRelay.leave(&output, &error, namespaces) || isDelivered
    }

    private static func isDelivered(_ pump: borrowing StreamPump?, _ byteCount: UInt64) -> Bool {
        switch pump {
        case .none: true
        case .some(let pump): pump.deliveredByteCount >= byteCount
        }
    }

    /// How many milliseconds more the caller has to take some of the output of a process that ended as `end` says.
    private func patience(_ end: ProcessExit) -> Int32 {
        let limit = end.wasRequested ? min(Self.requestedStallMilliseconds, stallMilliseconds) : stallMilliseconds
        let waited = (SystemTime.monotonicNanoseconds() - lastProgress) / 1_000_000
        return Int32(clamping: max(0, Int64(limit) - Int64(clamping: waited)))
    }

    /// Waits for something to do and does it.
    private func poll() {
        // Once a turn: a caller that never stops sending gets no more than the others.
        if input?.isToBeRead ?? false { _ = input?.advance() }
        if input?.isFinished ?? false { input = nil }
        let none = pollfd(fd: -1, events: 0, revents: 0)
        var entries = [
            pollfd(fd: signals.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(
                fd: control.rawValue, events: Int16(outgoing.isEmpty ? POLLIN : POLLIN | POLLOUT), revents: 0),
        ]
        if end != nil { entries[1].fd = -1 }
        for interest in [input?.interest, output?.interest, error?.interest] {
            entries += [interest?.source ?? none, interest?.sink ?? none]
        }
        // A copy of this process that could not be made is tried again after a while.
        let wait = end.map { max(patience($0), 50) } ?? -1
        let timeout = input?.isToBeRead ?? false ? 0 : wait
        // The kernel writes within the array, whose length it is given.
        guard unsafe Glibc.poll(&entries, nfds_t(entries.count), timeout) > 0 else { return }
        if entries[0].revents != 0 { takeSignals() }
        if entries[1].revents != 0 { takeControl() }
        move(entries)
    }

    /// Carries what `entries` says can be carried, and lets go of what is finished, so that the other side sees it end.
    private func move(_ entries: [pollfd]) {
        if entries[2].revents | entries[3].revents != 0 {
            _ = input?.noteSink(entries[3].revents)
            _ = input?.advance()
        }
        var hasMoved = false
        if entries[4].revents | entries[5].revents != 0 {
            _ = output?.noteSink(entries[5].revents)
            hasMoved = output?.advance() ?? false
        }
        if entries[6].revents | entries[7].revents != 0 {
            _ = error?.noteSink(entries[7].revents)
            if error?.advance() ?? false { hasMoved = true }
        }
        if hasMoved { lastProgress = SystemTime.monotonicNanoseconds() }
        if input?.isFinished ?? false { input = nil }
        if output?.isFinished ?? false { output = nil }
        if error?.isFinished ?? false { error = nil }
    }

    private func takeSignals() {
        while let received = signals.next() {
            switch received.signal {
            case SIGWINCH: tellSize()
            // A process that became this one's child because its parent has gone.
            case SIGCHLD: while let _ = try? Process.wait(blocks: false) {}
            case SIGPIPE, SIGURG: continue
            default: send(.signal(name, number: received.signal, toAll: false))
            }
        }
    }

    private func takeControl() {
        flush()
        do {
            let bytes = try control.read(upTo: 65536)
            if bytes.isEmpty { return lose() }
            frames.append(bytes)
            while let message = try frames.next() {
                let answer = try AnswerMessage(decoding: message)
                if answer.id == Self.firstRequest { return finish(answer.answer) }
            }
        } catch let error as Errno where error == .wouldBlock {
            return
        } catch {
            lose()
        }
    }

    private func finish(_ answer: Answer) {
        guard case .exited(let exit) = answer else { return lose() }
        ended(exit)
    }

    /// The guest is gone, and the process with it: that is a kill.
    private func lose() {
        var exit = ProcessExit(status: .signaled(signal: SIGKILL))
        // The agent no longer says how much there is: the streams' own ends do.
        (exit.outputByteCount, exit.errorByteCount) = (.max, .max)
        exit.wasRequested = true
        ended(exit)
    }

    /// Nothing more is read of the caller; what the process wrote is fetched, since its guest may go with it.
    private func ended(_ exit: ProcessExit) {
        end = exit
        input = nil
        output?.collects = true
        error?.collects = true
        lastProgress = SystemTime.monotonicNanoseconds()
        // The streams' ends were told before the process's: where they are not there, another process holds the streams.
        for _ in 0..<64 where output?.advance() ?? false {}
        for _ in 0..<64 where error?.advance() ?? false {}
        if output?.isFinished ?? false { output = nil }
        if error?.isFinished ?? false { error = nil }
    }

    /// Gives the guest's terminal the size of the caller's, where that has one.
    private func tellSize() {
        if let terminal, let size = RawTerminal.size(terminal), size.rows > 0 { send(.resize(name, size: size)) }
    }

    private func send(_ request: Request) {
        guard let frame = try? RequestMessage(id: nextRequest, request: request).frame() else { return }
        nextRequest += 1
        // A guest that takes nothing any more does not make this process grow.
        guard outgoing.count < 65536 else { return }
        outgoing += frame
        flush()
    }

    private func flush() {
        while !outgoing.isEmpty {
            guard let count = try? Socket.send(outgoing, from: 0, on: control.borrowed), count > 0 else { return }
            outgoing.removeFirst(count)
        }
    }
}
