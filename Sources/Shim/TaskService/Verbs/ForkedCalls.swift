import Glibc
import Linux
import TTRPC

/// Runs what may block in a copy of this process, and hands the outcome to the loop. The copy's memory and all that it
/// read goes with it, so that the shim stays as small and as responsive as it was.
final class ForkedCalls {
    private let loop: EventLoop
    private var underWay: [Int32: Underway] = [:]

    private final class Underway {
        let name: String
        let channel: FileDescriptor
        var bytes: [UInt8] = []
        var agent: OpenDescriptor?
        var watch: EventLoop.Watch?
        var timer: EventLoop.Timer?
        /// Why the outcome is not all there, where it is not.
        var cause = "the process that carried it out was killed"
        let done: (VerbOutcome) -> Void

        init(_ name: String, channel: consuming FileDescriptor, done: @escaping (VerbOutcome) -> Void) {
            self.name = name
            self.channel = channel
            self.done = done
        }
    }

    init(loop: EventLoop) {
        self.loop = loop
    }

    /// Runs `body` in a copy of this process, which is killed where it takes longer than `limit`.
    ///
    /// - Parameters:
    ///   - name: what is done, for messages.
    ///   - kept: descriptors that `body` uses; it has those, 0, 1 and 2.
    ///   - done: called once, from the loop. A copy that was killed has `deadlineExceeded`, which nothing else has.
    /// - Returns: what ``giveUp(_:)`` takes; 0 where there is nothing to give up.
    @discardableResult
    func run(
        _ name: String, limit: Duration, keeping kept: [Int32] = [], _ body: () throws(Failure) -> VerbAnswer,
        done: @escaping (VerbOutcome) -> Void
    ) -> Int32 {
        let parent = getpid()
        do throws(Errno) {
            let pair = try UnixSocket.pair()
            switch try Process.fork() {
            case .child: serve(pair.second.rawValue, kept, parent, body)
            case .parent(let pid):
                follow(pid, Self.first(of: pair), name, limit, done)
                return pid
            }
        } catch {
            let failure = Failure(.resourceExhausted, "\(name): fork: \(error)")
            loop.after(.zero) { done(.failure(failure)) }
            return 0
        }
    }

    /// Ends a call that is under way.
    func giveUp(_ call: Int32) { abandon(call, "given up") }

    private static func first(of pair: consuming SocketPair) -> FileDescriptor { pair.first }

    /// One thread was copied, so this may go on in Swift.
    private func serve(
        _ channel: Int32, _ kept: [Int32], _ parent: Int32, _ body: () throws(Failure) -> VerbAnswer
    ) -> Never {
        // What is under way goes with the shim, which may have gone already.
        try? Process.setParentDeathSignal(SIGKILL)
        guard getppid() == parent, (try? Process.closeDescriptors(except: [0, 1, 2, channel] + kept)) != nil else {
            Process.exitNow(1)
        }
        let outcome: VerbOutcome
        do throws(Failure) { outcome = .success(try body()) } catch { outcome = .failure(error) }
        Self.send(outcome, on: FileDescriptor(owning: channel))
        Process.exitNow(0)
    }

    private static func send(_ outcome: VerbOutcome, on channel: consuming FileDescriptor) {
        let bytes = VerbChannel.encode(outcome)
        var start = 0
        if case .success(let answer) = outcome, let agent = answer.agent,
            (try? DescriptorPassing.send([bytes[0]], [agent.rawValue], on: channel.rawValue)) != nil
        {
            start = 1
        }
        try? channel.writeAll(Array(bytes[start...]))
    }

    private func follow(
        _ pid: Int32, _ channel: consuming FileDescriptor, _ name: String, _ limit: Duration,
        _ done: @escaping (VerbOutcome) -> Void
    ) {
        let call = Underway(name, channel: channel, done: done)
        underWay[pid] = call
        do {
            call.watch = try loop.watch(call.channel.rawValue, .readable) { [unowned self] _ in read(pid) }
        } catch {
            abandon(pid, "\(error)")
        }
        call.timer = loop.after(limit) { [unowned self] in
            abandon(pid, "not done within \(limit.components.seconds) s")
        }
    }

    private func read(_ pid: Int32) {
        guard let call = underWay[pid] else { return }
        do {
            let (bytes, descriptors) = try DescriptorPassing.receive(
                upTo: 65536, maximum: 1, from: call.channel.rawValue)
            for number in descriptors { call.agent = OpenDescriptor(FileDescriptor(owning: number)) }
            call.bytes += bytes
            guard call.bytes.count <= VerbChannel.limit else { return abandon(pid, "the answer is too long") }
            if bytes.isEmpty { finish(pid) }
        } catch {
            abandon(pid, "\(error)")
        }
    }

    private func abandon(_ pid: Int32, _ cause: String) {
        guard let call = underWay[pid] else { return }
        call.cause = cause
        call.bytes = []
        // It has not been waited for, so the number is still its own.
        try? Process.kill(pid, SIGKILL)
        loop.after(.zero) { [unowned self] in finish(pid) }
    }

    private func finish(_ pid: Int32) {
        guard let call = underWay.removeValue(forKey: pid) else { return }
        if let watch = call.watch { loop.ignore(watch) }
        if let timer = call.timer { loop.cancel(timer) }
        call.done(
            VerbChannel.decode(call.bytes, agent: call.agent)
                ?? .failure(Failure(.deadlineExceeded, "\(call.name): \(call.cause)")))
    }
}
