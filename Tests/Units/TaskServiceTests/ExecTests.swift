// SPDX-License-Identifier: Apache-2.0
import Linux
import TTRPC
import Testing

@testable import TaskService

/// Processes beside a container's first.
@Suite struct ExecTests {
    let stage = Stage()

    @Test("An exec is added, started, ended and deleted, and its id is free again")
    func isAddedStartedAndDeleted() {
        stage.running()
        stage.exec("e")
        #expect(stage.verbs.names == [])
        stage.start("c", "e")
        #expect(stage.verbs.asked.last == .exec(id: "c", exec: "e", document: [1], StandardIO()))
        stage.verbs.finish("exec", .success(VerbAnswer(pid: 20)))
        stage.ends(20, 5)
        stage.delete("c", "e")
        #expect(stage.takeEvents() == ["exec-added c/e", "exec-started c/e 20", "exit c/e 20 5"])
        #expect(stage.takeAnswers() == ["exec", "start 20", "delete 20 5"])
        stage.exec("e")
        #expect(stage.takeAnswers() == ["exec"])
    }

    @Test("An exec that ends before its start is answered still reports its exit")
    func anEndBeforeStartAnsweredIsNotLost() {
        stage.running()
        stage.exec("e")
        stage.start("c", "e")
        stage.ends(20, 0)
        stage.verbs.finish("exec", .success(VerbAnswer(pid: 20)))
        #expect(stage.takeEvents() == ["exec-added c/e", "exec-started c/e 20", "exit c/e 20 0"])
    }

    @Test("An exec id is unique in its container")
    func namesAreUnique() {
        stage.running()
        stage.exec("e")
        stage.exec("e")
        #expect(stage.takeAnswers() == ["exec", "exec failed 6: process e of container c: already exists"])
    }

    @Test("An exec whose start fails counts as ended with 255")
    func aStartThatFailsEndsIt() throws {
        stage.running()
        stage.exec("e")
        try stage.wait("c", "e")
        stage.start("c", "e")
        stage.verbs.finish("exec", .failed(.unknown, "exec: \"x\": not found"))
        #expect(stage.takeAnswers() == ["exec", "wait 255", "start failed 2: exec: \"x\": not found"])
        stage.delete("c", "e")
        #expect(stage.takeAnswers() == ["delete 0 255"])
        #expect(stage.takeEvents() == ["exec-added c/e"])
    }

    @Test("An exec whose start timed out is killed")
    func aStartThatWasCutOffIsKilled() {
        stage.running()
        stage.exec("e")
        stage.start("c", "e")
        stage.verbs.finish("exec", .failed(.deadlineExceeded))
        #expect(stage.verbs.asked.last == .kill(id: "c", exec: "e", signal: 9, all: false))
    }

    @Test("A running exec cannot be started again")
    func isNotStartedTwice() {
        stage.running()
        stage.runningExec("e", pid: 20)
        stage.start("c", "e")
        #expect(stage.takeAnswers() == ["start failed 9: cannot start a running process"])
    }

    @Test("Killing an exec that was not started is refused")
    func killOfOneThatWasNotStartedIsRefused() {
        stage.running()
        stage.exec("e")
        stage.kill("c", "e")
        #expect(stage.takeAnswers() == ["exec", "kill failed 9: process not started"])
    }

    @Test("An exec needs a running container")
    func needsARunningContainer() {
        stage.running()
        stage.ends(10, 0)
        stage.exec("e")
        #expect(stage.takeAnswers() == ["exec failed 9: cannot exec in a stopped container"])
    }

    @Test("The exits of execs are reported before their container's")
    func diesBeforeItsContainerDoes() throws {
        stage.running()
        stage.runningExec("a", pid: 20)
        stage.runningExec("b", pid: 21)
        try stage.wait()
        stage.ends(10, 0)
        stage.ends(20, 137)
        #expect(stage.takeAnswers() == [])
        stage.ends(21, 137)
        #expect(stage.takeEvents() == ["exit c/a 20 137", "exit c/b 21 137", "exit c 10 0"])
        #expect(stage.takeAnswers() == ["wait 0"])
    }

    @Test("An exec that does not end delays its container's exit only for a while")
    func doesNotKeepAContainersEndBackForLong() {
        stage.running()
        stage.runningExec("e", pid: 20)
        stage.ends(10, 0)
        #expect(stage.takeEvents() == [])
        stage.pass()
        #expect(stage.takeEvents() == ["exit c 10 0"])
        stage.ends(20, 137)
        stage.pass()
        #expect(stage.takeEvents() == ["exit c/e 20 137"])
    }

    @Test("Deleting a container ends its execs first")
    func outlivesNoDeletion() throws {
        stage.running()
        stage.runningExec("e", pid: 20)
        stage.ends(10, 0)
        stage.pass()
        try stage.wait("c", "e")
        stage.delete()
        stage.verbs.finish("delete")
        #expect(stage.takeEvents() == ["exit c 10 0", "exit c/e 20 137", "delete c 10 0"])
        #expect(stage.takeAnswers() == ["wait 137", "delete 10 0"])
    }

    /// A client that has sent all of the input says so while the process is being started.
    @Test("Input closed while its process is being started is closed once it runs")
    func inputThatWasClosedBeforeItsProcessWasThereStaysClosed() throws {
        for closesFirst in [true, false] {
            let stage = Stage()
            stage.running()
            stage.exec("e")
            stage.start("c", "e")
            let pipe = try FileDescriptor.pipe()
            let reader = OpenDescriptor(pipe.reader)
            var writer: OpenDescriptor? = OpenDescriptor(pipe.writer)
            if closesFirst { try stage.table.closeInput("c", "e") }
            stage.verbs.finish("exec", .success(VerbAnswer(pid: 20, inputWriter: writer)))
            writer = nil
            let events = try Poll.wait(reader.borrowed, .readable, until: Deadline(after: .zero))
            #expect(events.contains(.hangUp) == closesFirst)
            try stage.table.closeInput("c", "e")
            #expect(try Poll.wait(reader.borrowed, .readable, until: Deadline(after: .zero)).contains(.hangUp))
        }
    }
}
