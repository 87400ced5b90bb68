import AgentProtocol
import CLinux
import Glibc
import Linux
import SandboxPlan

/// Stands on the host for one process in the guest: carries its streams, hands on signals and window sizes, and
/// ends as it did.
public final class ProcessProxy {
    /// Requests up to here were made on the connection by who opened it.
    static let firstRequest: UInt64 = 1 << 32
    /// The one that asks for the end alone, where it is asked.
    static let earlyRequest = firstRequest + 1
    /// How long output may make no progress once the process was killed: nobody reads it any more.
    static let killedStallMilliseconds: Int32 = 2000

    private let name: ProcessName
    private let control: FileDescriptor
    private let signals: SignalDescriptor
    private var frames = FrameReader()
    private var nextRequest = firstRequest
    private var outgoing: [UInt8] = []
    private var input: StreamPump?
    private var output: StreamPump?
    private var error: StreamPump?
    private let terminal: Int32?
    private var end: ProcessExit.Status?
    /// How the process ended, while the guest still has output of its to hand over.
    private var earlyEnd: ProcessExit.Status?
    private let stallMilliseconds: Int32?
    /// When the caller last took something, or the process ended.
    private var lastProgress = SystemTime.monotonicNanoseconds()

    /// The program: reads its command line, serves, and ends as the guest's process did.
    public static func main() -> Never {
        do {
            let arguments = try ProxyArguments(Array(CommandLine.arguments.dropFirst()))
            if let lifeline = arguments.lifeline {
                try syscall(__NR_fcntl, Int(lifeline), Int(F_SETFD), Int(FD_CLOEXEC))
            }
            var raw: RawTerminal? = nil
            if arguments.hasTerminal {
                // In a session of its own the terminal becomes its controlling one; in the caller's it is already.
                try? Pseudoterminal.makeControlling(0)
                // The guest's process has its terminal even where the caller has none, as under `exec -t </dev/null`.
                raw = try? RawTerminal(0)
            }
            let proxy = try ProcessProxy(arguments)
            let end = proxy.serve()
            raw?.restore()
            switch end {
            case .exited(let code): Process.exitNow(Int32(code))
            case .signaled(let signal): Process.die(of: signal)
            }
        } catch {
            let line = Array("fc-proxy: \(error)\n".utf8)
            let standardError = FileDescriptor(owning: 2)
            try? standardError.writeAll(line)
            Process.exitNow(1)
        }
    }

    init(_ arguments: ProxyArguments) throws(Errno) {
        signals = try SignalDescriptor()
        name = arguments.name
        stallMilliseconds = arguments.stallMilliseconds
        control = FileDescriptor(owning: arguments.control)
        try control.setNonBlocking(true)
        if let number = arguments.input {
            let stream = FileDescriptor(owning: number)
            try stream.setNonBlocking(true)
            input = StreamPump(
                from: try CallerStream.nonBlocking(0, []), to: stream, endsByShutdown: true)
        }
        if let number = arguments.output {
            let stream = FileDescriptor(owning: number)
            try stream.setNonBlocking(true)
            output = StreamPump(
                from: stream, to: try CallerStream.nonBlocking(1, .writeOnly), endsByShutdown: false)
        }
        if let number = arguments.error {
            let stream = FileDescriptor(owning: number)
            try stream.setNonBlocking(true)
            error = StreamPump(
                from: stream, to: try CallerStream.nonBlocking(2, .writeOnly), endsByShutdown: false)
        }
        terminal = arguments.hasTerminal ? 0 : nil
        // The caller sees its pipe end when the streams do, not when this process goes.
        try Self.releaseStandardStreams(keepingInput: arguments.hasTerminal)
    }

    /// Puts /dev/null in the place of the caller's streams, now that the pumps hold them.
    private static func releaseStandardStreams(keepingInput: Bool) throws(Errno) {
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        for number in (keepingInput ? 1 : 0)...2 { try syscall(__NR_dup3, Int(null.rawValue), number, 0) }
    }

    /// Relays until the process has ended and its output is delivered, or nobody takes it.
    func serve() -> ProcessExit.Status {
        send(.wait(name))
        if stallMilliseconds != nil { send(.wait(name, isEarly: true)) }
        if let terminal, let size = RawTerminal.size(terminal), size.rows > 0 { send(.resize(name, size: size)) }
        while true {
            if let end, output == nil, error == nil { return end }
            poll()
            if let known = end ?? earlyEnd, patience(known) == 0 { return known }
        }
    }

    /// How many milliseconds more the caller has to take some of the output of a process that ended as `end` says; nil:
    /// as long as it likes.
    private func patience(_ end: ProcessExit.Status) -> Int32? {
        var limit = stallMilliseconds
        if limit == nil, case .signaled = end { limit = Self.killedStallMilliseconds }
        guard let limit else { return nil }
        let waited = (SystemTime.monotonicNanoseconds() - lastProgress) / 1_000_000
        return Int32(clamping: max(0, Int64(limit) - Int64(waited)))
    }

    /// Waits for something to do and does it.
    private func poll() {
        // Once a turn: it has its fill of whoever never stops sending, like the others.
        if input?.isToBeRead ?? false { _ = input?.advance() }
        if input?.isFinished ?? false { input = nil }
        var entries = [
            pollfd(fd: signals.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(
                fd: control.rawValue, events: Int16(outgoing.isEmpty ? POLLIN : POLLIN | POLLOUT), revents: 0),
        ]
        if end != nil { entries[1].fd = -1 }
        for interest in [input?.interest, output?.interest, error?.interest] {
            entries.append(pollfd(fd: interest?.descriptor ?? -1, events: interest?.events ?? 0, revents: 0))
        }
        let patience = (end ?? earlyEnd).flatMap(patience) ?? -1
        let timeout = input?.isToBeRead ?? false ? 0 : patience
        guard unsafe Glibc.poll(&entries, nfds_t(entries.count), timeout) > 0 else { return }
        if entries[0].revents != 0 { takeSignals() }
        if entries[1].revents != 0 { takeControl() }
        if entries[2].revents != 0 { _ = input?.advance() }
        var hasMoved = false
        if entries[3].revents != 0 { hasMoved = output?.advance() ?? false }
        if entries[4].revents != 0, error?.advance() ?? false { hasMoved = true }
        if hasMoved { lastProgress = SystemTime.monotonicNanoseconds() }
        // What is finished closes its side, so that the other sees it end.
        if input?.isFinished ?? false { input = nil }
        if output?.isFinished ?? false { output = nil }
        if error?.isFinished ?? false { error = nil }
    }

    private func takeSignals() {
        while let received = signals.next() {
            switch received.signal {
            case SIGWINCH:
                if let terminal, let size = RawTerminal.size(terminal) { send(.resize(name, size: size)) }
            case SIGCHLD, SIGPIPE, SIGURG: continue
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
                if answer.id == Self.firstRequest { finish(answer.answer) }
                // Told once: a guest that repeats itself gains no time by it.
                if answer.id == Self.earlyRequest, earlyEnd == nil, case .exited(let exit) = answer.answer {
                    earlyEnd = exit.status
                    lastProgress = SystemTime.monotonicNanoseconds()
                }
            }
        } catch let error as Errno where error == .wouldBlock {
            return
        } catch {
            lose()
        }
    }

    private func finish(_ answer: Answer) {
        guard case .exited(let exit) = answer else { return lose() }
        end = exit.status
        lastProgress = SystemTime.monotonicNanoseconds()
    }

    /// The guest is gone, and the process with it: that is a kill.
    private func lose() {
        end = earlyEnd ?? .signaled(signal: SIGKILL)
        lastProgress = SystemTime.monotonicNanoseconds()
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
            let result = unsafe outgoing.withUnsafeBytes { bytes in
                unsafe cl_syscall(
                    Int(__NR_sendto), Int(control.rawValue), bytes.argument, bytes.count, Int(MSG_NOSIGNAL), 0, 0)
            }
            guard result > 0 else { return }
            outgoing.removeFirst(result)
        }
    }
}
