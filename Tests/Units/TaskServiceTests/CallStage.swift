// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import TTRPC

@testable import TaskService

/// Runs `body` in a process of one thread, as the shim is one, and gives what it noted. For the bodies of exit tests:
/// a copy of a process has one thread, so in one of a process with more a thread that is gone may hold a lock for
/// ever, and waiting for any child takes other tests' children.
func alone(_ body: (CallStage) throws -> Void) throws -> [String] {
    let pipe = try FileDescriptor.pipe()
    switch try Process.fork() {
    case .child:
        var notes: [String]
        do {
            let stage = try CallStage()
            try body(stage)
            notes = stage.notes
        } catch {
            notes = ["\(error)"]
        }
        try? pipe.writer.writeAll(Array(notes.joined(separator: "\n").utf8))
        Process.exitNow(0)
    case .parent(let pid):
        try end(of: pid, within: .seconds(60))
        try pipe.reader.setNonBlocking(true)
        let bytes = (try? pipe.reader.read(upTo: 65536)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

/// How a child ended; it is killed where it takes longer.
@discardableResult
func end(of pid: Int32, within limit: Duration) throws -> Process.ExitStatus? {
    let process = try Process.descriptor(of: pid)
    _ = try Poll.wait(process.borrowed, .readable, until: Deadline(after: limit))
    // It has not been waited for.
    try? Process.kill(pid, SIGKILL)
    return try Process.wait(for: pid)?.status
}

/// The shim's loop with its children and the calls in copies of it.
final class CallStage {
    let loop: ShimLoop
    let children: Children
    let calls: ForkedCalls
    var notes: [String] = []
    private(set) var underWay = 0
    private(set) var lastAnswer = VerbAnswer()
    /// How children ended, by pid.
    private(set) var ends: [Int32: Process.ExitStatus] = [:]

    init() throws {
        loop = try ShimLoop()
        children = try Children()
        calls = ForkedCalls(loop: loop)
        children.onEnd = { [unowned self] pid, status in
            calls.childEnded(pid)
            ends[pid] = status
        }
        try children.join(loop)
    }

    /// Notes what it comes to: "name: payload", or "name failed code: message".
    @discardableResult
    func call(
        _ name: String, limit: Duration = .seconds(50), keeping kept: [BorrowedDescriptor] = [],
        _ body: () throws(Failure) -> VerbAnswer
    ) -> Int {
        underWay += 1
        return calls.run(name, limit: limit, keeping: kept, body) { [unowned self] outcome in
            underWay -= 1
            switch outcome {
            case .success(let answer):
                lastAnswer = answer
                let count = answer.payload.count
                let text = count < 100 ? String(decoding: answer.payload, as: UTF8.self) : "\(count) bytes"
                notes.append("\(name): \(text)")
            case .failure(let failure): notes.append("\(name) failed \(failure.code.rawValue): \(failure.message)")
            }
        }
    }

    /// Serves until every call is done.
    func settle() throws {
        let deadline = Deadline(after: .seconds(40))
        while underWay > 0, !deadline.hasPassed { try loop.turn(limit: .milliseconds(50)) }
        if underWay > 0 { notes.append("\(underWay) calls are not done") }
    }

    /// Serves until there are no children.
    func bury() throws {
        let deadline = Deadline(after: .seconds(40))
        while !deadline.hasPassed {
            do throws(Errno) {
                // What the signal has not told of yet.
                if let ended = try Process.wait(blocks: false) { children.onEnd(ended.pid, ended.status) }
            } catch {
                return
            }
            try loop.turn(limit: .milliseconds(10))
        }
        notes.append("there are children left")
    }
}

/// The descriptors of this process beyond the standard ones.
func openDescriptors() -> [Int32] { (3..<1024).filter { fcntl($0, F_GETFD) >= 0 } }

/// Writes on the channel of the copy that this process is: its only descriptor beyond the standard ones.
func write(_ bytes: [UInt8]) {
    guard let number = openDescriptors().first else { return }
    let channel = FileDescriptor(owning: number)
    try? channel.writeAll(bytes)
    _ = channel.release()
}

func sleepMilliseconds(_ count: UInt32) { usleep(count * 1000) }

/// Forks a copy of this process that ends by itself only if `body` does, and then with 7.
func leaveBehind(_ body: () -> Void) -> Int32 {
    switch try? Process.fork() {
    case .child:
        body()
        Process.exitNow(7)
    case .parent(let pid): return pid
    case nil: return 0
    }
}
