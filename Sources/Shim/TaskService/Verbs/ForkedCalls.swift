// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import TTRPC

/// Runs what may block in a copy of this process, and hands the outcome to the loop. The copy's memory and all that it
/// read goes with it, so that the shim stays as small and as responsive as it was.
final class ForkedCalls {
    private let loop: ShimLoop
    /// By numbers of their own: the kernel gives a pid again.
    private var underWay: [Int: Underway] = [:]
    private var lastCall = 0

    private final class Underway {
        let name: String
        /// Nil once it has been waited for.
        var pid: Int32?
        let channel: FileDescriptor
        var bytes: [UInt8] = []
        var agent: OpenDescriptor?
        /// Nil once nothing more is taken.
        var watch: ShimLoop.Watch?
        var timer: ShimLoop.Timer?
        /// Why the outcome is not all there, where it is not.
        var cause = "the process that carried it out was killed"
        let done: (VerbOutcome) -> Void

        init(
            _ name: String, _ pid: Int32, channel: consuming FileDescriptor, done: @escaping (VerbOutcome) -> Void
        ) {
            self.name = name
            self.pid = pid
            self.channel = channel
            self.done = done
        }
    }

    init(loop: ShimLoop) {
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
        _ name: String, limit: Duration, keeping kept: [BorrowedDescriptor] = [],
        _ body: () throws(Failure) -> VerbAnswer, done: @escaping (VerbOutcome) -> Void
    ) -> Int {
        let parent = getpid()
        do throws(Errno) {
            let pair = try UnixSocket.pair()
            switch try Process.fork() {
            case .child: serve(pair.second, kept, parent, body)
            case .parent(let pid):
                return follow(Underway(name, pid, channel: pair.takeFirst(), done: done), limit)
            }
        } catch {
            let failure = Failure(.resourceExhausted, "\(name): fork: \(error)")
            loop.after(.zero) { done(.failure(failure)) }
            return 0
        }
    }

    /// Ends a call that is under way.
    func giveUp(_ call: Int) { abandon(call, "given up") }

    /// To be told of every child that ended and has been waited for. What a copy said has come by then, and a
    /// process that it left behind with the channel's other end has nothing to add.
    func childEnded(_ pid: Int32) {
        guard let (number, call) = underWay.first(where: { $0.value.pid == pid }) else { return }
        call.pid = nil
        loop.after(.zero) { [unowned self] in
            while read(number) {}
            finish(number)
        }
    }

    /// One thread was copied, so this may go on in Swift.
    private func serve(
        _ channel: consuming FileDescriptor, _ kept: [BorrowedDescriptor], _ parent: Int32,
        _ body: () throws(Failure) -> VerbAnswer
    ) -> Never {
        // What is under way goes with the shim, which may have gone already.
        try? Process.setParentDeathSignal(SIGKILL)
        let needed = [.standardInput, .standardOutput, .standardError, channel.borrowed] + kept
        guard getppid() == parent, (try? Process.closeDescriptors(except: needed)) != nil else { Process.exitNow(1) }
        let outcome: VerbOutcome
        do throws(Failure) { outcome = .success(try body()) } catch { outcome = .failure(error) }
        Self.send(outcome, on: channel)
        Process.exitNow(0)
    }

    private static func send(_ outcome: VerbOutcome, on channel: consuming FileDescriptor) {
        let bytes = VerbChannel.encode(outcome)
        var start = 0
        if case .success(let answer) = outcome, let agent = answer.agent,
            (try? DescriptorPassing.send([bytes[0]], [agent.borrowed], on: channel.borrowed)) != nil
        {
            start = 1
        }
        try? channel.writeAll(Array(bytes[start...]))
    }

    private func follow(_ call: Underway, _ limit: Duration) -> Int {
        lastCall += 1
        let number = lastCall
        underWay[number] = call
        do throws(Errno) {
            try call.channel.setNonBlocking(true)
            call.watch = try loop.watch(call.channel.borrowed, .readable) { [unowned self] _ in _ = read(number) }
        } catch {
            abandon(number, "\(error)")
        }
        call.timer = loop.after(limit) { [unowned self] in
            abandon(number, "not done within \(limit.components.seconds) s")
        }
        return number
    }

    /// Takes what has come.
    ///
    /// - Returns: whether there may be more.
    private func read(_ number: Int) -> Bool {
        guard let call = underWay[number], call.watch != nil else { return false }
        do throws(Errno) {
            var descriptors = DescriptorList()
            let bytes = try DescriptorPassing.receive(
                upTo: 65536, maximum: 1, descriptors: &descriptors, from: call.channel.borrowed)
            if let agent = descriptors.takeFirst() { call.agent = OpenDescriptor(agent) }
            call.bytes += bytes
            if bytes.isEmpty {
                finish(number)
            } else if call.bytes.count > VerbChannel.limit {
                abandon(number, "the answer is too long")
            } else {
                return true
            }
        } catch {
            if error != .wouldBlock { abandon(number, "\(error)") }
        }
        return false
    }

    private func abandon(_ number: Int, _ cause: String) {
        guard let call = underWay[number] else { return }
        call.cause = cause
        // Nothing of what it says counts any more: a piece of an answer could look like a whole one.
        call.bytes = []
        call.watch.take().map(loop.ignore)
        // It has not been waited for, so the number is still its own.
        if let pid = call.pid { try? Process.kill(pid, SIGKILL) }
        loop.after(.zero) { [unowned self] in finish(number) }
    }

    private func finish(_ number: Int) {
        guard let call = underWay.removeValue(forKey: number) else { return }
        call.watch.map(loop.ignore)
        call.timer.map(loop.cancel)
        call.done(
            VerbChannel.decode(call.bytes, agent: call.agent)
                ?? .failure(Failure(.deadlineExceeded, "\(call.name): \(call.cause)")))
    }
}
