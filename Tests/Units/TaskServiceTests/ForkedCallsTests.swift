// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import TTRPC
import Testing

@testable import TaskService

/// What is done in copies of the shim, with real copies.
@Suite struct ForkedCallsTests {
    @Test("Forked calls run at once, and each answer arrives as it is given")
    func answersComeAsTheyAreGiven() async {
        await #expect(processExitsWith: .success) {
            let notes = try alone { stage in
                for (name, time) in [("a", UInt32(800)), ("b", 400), ("c", 0)] {
                    stage.call(name) { () throws(Failure) in
                        sleepMilliseconds(time)
                        if name == "b" { throw Failure(.notFound, "no b") }
                        return VerbAnswer(payload: Array("\(name)!".utf8))
                    }
                }
                stage.notes.append("asked")
                try stage.settle()
            }
            #expect(notes == ["asked", "c: c!", "b failed 5: no b", "a: a!"])
        }
    }

    /// An answer as long as may be, a pid, and a descriptor with them.
    @Test("The longest answer arrives whole, with its pid and its descriptor")
    func allOfAnAnswerComes() async {
        await #expect(processExitsWith: .success) {
            let notes = try alone { stage in
                stage.call("long") { () throws(Failure) in
                    guard let pipe = try? FileDescriptor.pipe(), (try? pipe.writer.writeAll([42])) != nil,
                        let reader = try? pipe.reader.duplicate()
                    else { throw Failure(.unknown, "no pipe") }
                    return VerbAnswer(
                        payload: [UInt8](repeating: 0xA5, count: VerbChannel.limit - 6), pid: 70_000,
                        agent: OpenDescriptor(reader))
                }
                try stage.settle()
                let agent = try #require(stage.lastAnswer.agent)
                stage.notes.append("\(stage.lastAnswer.pid) \(try agent.descriptor.read(upTo: 2))")
            }
            #expect(notes == ["long: \(VerbChannel.limit - 6) bytes", "70000 [42]"])
        }
    }

    @Test("A forked copy has only the descriptors it is to keep")
    func aCopyHasWhatItIsGivenAndNoMore() async {
        await #expect(processExitsWith: .success) {
            let notes = try alone { stage in
                let pipe = try FileDescriptor.pipe()
                let kept = pipe.writer.borrowed
                stage.call("open", keeping: [kept, .standardOutput]) { () throws(Failure) in
                    let open = openDescriptors()
                    return VerbAnswer(payload: Array("\(open.count) \(open.contains(kept.rawValue))".utf8))
                }
                try stage.settle()
                _ = pipe.reader.borrowed
            }
            #expect(notes == ["open: 2 true"])
        }
    }

    @Test("A copy that dies without an answer fails its call, and the next one works")
    func aCopyThatDiesHasNoAnswer() async {
        await #expect(processExitsWith: .success) {
            let notes = try alone { stage in
                stage.call("killed") { () throws(Failure) in Process.die(of: SIGKILL) }
                try stage.settle()
                stage.call("exits") { () throws(Failure) in Process.exitNow(0) }
                try stage.settle()
                stage.call("next") { () throws(Failure) in VerbAnswer() }
                try stage.settle()
            }
            let cause = "the process that carried it out was killed"
            #expect(notes == ["killed failed 4: killed: \(cause)", "exits failed 4: exits: \(cause)", "next: "])
        }
    }

    /// It is ended, and nobody waits for it meanwhile.
    @Test("A copy that hangs is killed at its limit, and others do not wait for it")
    func aCopyThatHangsIsEnded() async {
        await #expect(processExitsWith: .success) {
            let notes = try alone { stage in
                stage.call("hangs", limit: .seconds(1)) { () throws(Failure) in
                    while true { pause() }
                }
                stage.call("quick") { () throws(Failure) in VerbAnswer() }
                try stage.settle()
                try stage.bury()
                stage.notes.append("\(stage.ends.values.filter { $0 == .signaled(signal: SIGKILL) }.count) was killed")
            }
            #expect(notes == ["quick: ", "hangs failed 4: hangs: not done within 1 s", "1 was killed"])
        }
    }

    @Test("A truncated answer counts as none")
    func aTornAnswerIsNone() async {
        await #expect(processExitsWith: .success) {
            let notes = try alone { stage in
                let whole = VerbChannel.encode(.success(VerbAnswer(payload: [1, 2, 3], pid: 7)))
                for count in [1, 5, whole.count - 1] {
                    stage.call("torn") { () throws(Failure) in
                        write(Array(whole[..<count]))
                        Process.die(of: SIGKILL)
                    }
                    try stage.settle()
                }
                stage.call("late", limit: .seconds(1)) { () throws(Failure) in
                    write(Array(whole.dropLast()))
                    while true { pause() }
                }
                try stage.settle()
            }
            let torn = "torn failed 4: torn: the process that carried it out was killed"
            #expect(notes == [torn, torn, torn, "late failed 4: late: not done within 1 s"])
        }
    }

    /// What comes after the bound looks like a whole answer, and is none.
    @Test("An answer over the limit fails its call")
    func anAnswerWithoutEndIsNone() async {
        await #expect(processExitsWith: .success) {
            let notes = try alone { stage in
                stage.call("endless") { () throws(Failure) in
                    let bytes = [UInt8](repeating: 0xA5, count: 65536)
                    while true { write(bytes) }
                }
                stage.call("long") { () throws(Failure) in
                    VerbAnswer(payload: [UInt8](repeating: 0xA5, count: VerbChannel.limit + 200_000))
                }
                try stage.settle()
                try stage.bury()
                stage.notes.sort()
            }
            let cause = "the answer is too long"
            #expect(notes == ["endless failed 4: endless: \(cause)", "long failed 4: long: \(cause)"])
        }
    }

    @Test("Many calls at once keep their answers apart and leak no descriptors")
    func manyAtOnceKeepApart() async {
        await #expect(processExitsWith: .success) {
            let notes = try alone { stage in
                let before = openDescriptors().count
                for number in 0..<64 {
                    stage.call("\(number)") { () throws(Failure) in
                        if number % 8 == 0 { Process.die(of: SIGKILL) }
                        if number % 8 == 1 { throw Failure(.unknown, "\(number)") }
                        return VerbAnswer(
                            payload: [UInt8](repeating: UInt8(number), count: 70_000 + number), pid: Int32(number))
                    }
                }
                try stage.settle()
                try stage.bury()
                stage.notes.sort()
                stage.notes.append("\(openDescriptors().count - before) more descriptors, \(stage.ends.count) ended")
            }
            var expected = (0..<64).map { number in
                switch number % 8 {
                case 0: "\(number) failed 4: \(number): the process that carried it out was killed"
                case 1: "\(number) failed 2: \(number)"
                default: "\(number): \(70_000 + number) bytes"
                }
            }
            expected.sort()
            #expect(notes == expected + ["0 more descriptors, 64 ended"])
        }
    }

    /// What copies leave behind becomes the shim's, which is told how each ended; signals may stand for several.
    @Test("The shim adopts what copies leave behind and learns how each ended")
    func whatIsLeftBehindIsAdopted() async {
        await #expect(processExitsWith: .success) {
            let notes = try alone { stage in
                for number in 0..<16 {
                    stage.call("\(number)") { () throws(Failure) in
                        VerbAnswer(payload: Array("\(leaveBehind { sleepMilliseconds(200) })".utf8))
                    }
                }
                try stage.settle()
                try stage.bury()
                let pids = stage.notes.compactMap { Int32($0.split(separator: " ").last ?? "") }
                let ended = pids.filter { stage.ends[$0] == .exited(code: 7) }
                stage.notes = ["\(pids.count) left behind, \(ended.count) ended, \(stage.ends.count) in all"]
            }
            #expect(notes == ["16 left behind, 16 ended, 32 in all"])
        }
    }

    /// The channel's other end is still open then.
    @Test("A call does not wait for the processes that its copy leaves behind")
    func nobodyWaitsForWhatIsLeftBehind() async {
        await #expect(processExitsWith: .success) {
            let notes = try alone { stage in
                stage.call("answers") { () throws(Failure) in
                    VerbAnswer(pid: leaveBehind { while true { pause() } })
                }
                try stage.settle()
                let first = stage.lastAnswer.pid
                var second: Int32 = 0
                stage.call("dies") { () throws(Failure) in
                    _ = leaveBehind { while true { pause() } }
                    Process.die(of: SIGKILL)
                }
                try stage.settle()
                // Both hang on; the first is known by its answer, the second is the youngest child.
                try Process.kill(first, SIGKILL)
                second = try youngestChild()
                try Process.kill(second, SIGKILL)
                try stage.bury()
                let ended = [first, second].filter { stage.ends[$0] == .signaled(signal: SIGKILL) }
                stage.notes.append("\(ended.count) ended")
            }
            #expect(
                notes == [
                    "answers: ", "dies failed 4: dies: the process that carried it out was killed", "2 ended",
                ])
        }
    }

    @Test("A call under way can be given up, and giving up any other does nothing")
    func aCallIsGivenUp() async {
        await #expect(processExitsWith: .success) {
            let notes = try alone { stage in
                let call = stage.call("given") { () throws(Failure) in
                    write([0, 0, 0, 0, 0])
                    while true { pause() }
                }
                try stage.loop.turn(limit: .seconds(10))
                stage.calls.giveUp(call)
                stage.calls.giveUp(call)
                try stage.settle()
                try stage.bury()
                let quick = stage.call("quick") { () throws(Failure) in VerbAnswer() }
                try stage.settle()
                for number in [call, quick, 0, 1000] { stage.calls.giveUp(number) }
                try stage.loop.turn(limit: .milliseconds(50))
            }
            #expect(notes == ["given failed 4: given: given up", "quick: "])
        }
    }

    /// The caller is told later, as always.
    @Test("A call without free descriptors fails later, not at once")
    func noDescriptorsForACall() async {
        await #expect(processExitsWith: .success) {
            let notes = try alone { stage in
                var limit = rlimit(rlim_cur: 3, rlim_max: 3)
                // The descriptors that are open stay so.
                _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
                let call = stage.call("none") { () throws(Failure) in VerbAnswer() }
                stage.notes.append("asked \(call)")
                try stage.settle()
            }
            #expect(notes.count == 2)
            #expect(notes.first == "asked 0")
            #expect(notes.last?.hasPrefix("none failed 8: none: fork: ") == true)
        }
    }
}

/// The child of this process that started last.
private func youngestChild() throws -> Int32 {
    let bytes = try FileDescriptor.open("/proc/thread-self/children").readAll(limit: 65536)
    let children = String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap { Int32($0) }
    guard let youngest = children.max() else { throw Errno.noSuchProcess }
    return youngest
}
