// SPDX-License-Identifier: Apache-2.0
import TTRPC
import Testing

@testable import TaskService

/// The life of a container, and the order in which containerd hears of it.
@Suite struct LifeTests {
    let stage = Stage()

    @Test("A container's create, start, exit and delete are reported in order")
    func createsStartsEndsAndDeletes() throws {
        stage.create()
        #expect(stage.table.isEmpty == false)
        #expect(stage.takeEvents() == [])
        stage.verbs.finish("create", .success(VerbAnswer(pid: 10)))
        stage.start()
        try stage.wait()
        stage.verbs.finish("start")
        #expect(stage.takeEvents() == ["create c 10", "start c 10"])
        stage.ends(10, 7)
        stage.delete()
        stage.verbs.finish("delete")
        #expect(stage.takeEvents() == ["exit c 10 7", "delete c 10 7"])
        #expect(stage.takeAnswers() == ["create 10", "start 10", "wait 7", "delete 10 7"])
        #expect(stage.table.isEmpty)
    }

    @Test("A start is reported before an exit that came first")
    func aStartIsToldOfBeforeAnEndThatCameFirst() {
        stage.create()
        stage.verbs.finish("create", .success(VerbAnswer(pid: 10)))
        stage.start()
        stage.ends(10, 0)
        #expect(stage.takeEvents() == ["create c 10"])
        stage.verbs.finish("start")
        #expect(stage.takeEvents() == ["start c 10", "exit c 10 0"])
        #expect(stage.takeAnswers() == ["create 10", "start 10"])
    }

    @Test("An exit that precedes the answer to create is reported after it")
    func anEndBeforeCreateAnsweredIsNotLost() throws {
        stage.create()
        stage.ends(99, 1)
        stage.ends(10, 137)
        stage.verbs.finish("create", .success(VerbAnswer(pid: 10)))
        #expect(stage.takeEvents() == ["create c 10", "exit c 10 137"])
        stage.start()
        #expect(stage.takeAnswers() == ["create 10", "start failed 9: cannot start a stopped process"])
    }

    @Test("The exit of an unknown process does not count for a later one of its pid")
    func strangersThatEndAreNobodys() {
        stage.ends(10, 1)
        stage.create()
        stage.verbs.finish("create", .success(VerbAnswer(pid: 10)))
        #expect(stage.takeEvents() == ["create c 10"])
    }

    @Test("A start that fails leaves the container created")
    func aStartThatFailsLeavesItCreated() {
        stage.create()
        stage.verbs.finish("create", .success(VerbAnswer(pid: 10)))
        stage.start()
        stage.verbs.finish("start", .failed(.unknown, "exec: \"x\": not found"))
        #expect(stage.takeAnswers() == ["create 10", "start failed 2: exec: \"x\": not found"])
        stage.ends(10, 127)
        stage.delete()
        stage.verbs.finish("delete")
        #expect(stage.takeEvents() == ["create c 10", "exit c 10 127", "delete c 10 127"])
    }

    @Test("A create that fails leaves nothing")
    func aCreateThatFailsLeavesNothing() {
        stage.create()
        stage.verbs.finish("create", .failed(.unknown, "the sandbox did not start: boot"))
        #expect(stage.takeAnswers() == ["create failed 2: the sandbox did not start: boot"])
        #expect(stage.table.isEmpty)
        #expect(stage.verbs.asked.map(\.name) == ["create"])
        #expect(stage.takeEvents() == [])
    }

    @Test("A create that timed out is cleaned up before it is answered")
    func aCreateThatWasCutOffIsClearedAwayBeforeItIsAnswered() {
        stage.create()
        stage.verbs.finish("create", .failed(.deadlineExceeded, "cut off"))
        #expect(stage.takeAnswers() == [])
        #expect(stage.verbs.asked.last == .remove(id: "c", bundle: "/b/c"))
        #expect(stage.table.isEmpty == false)
        stage.verbs.finish("delete", .failed(.unknown))
        #expect(stage.takeAnswers() == ["create failed 4: cut off"])
        #expect(stage.table.isEmpty)
    }

    @Test("A delete gives up a container that is being created")
    func deleteGivesUpWhatIsBeingMade() {
        stage.create()
        stage.delete()
        #expect(stage.verbs.givenUp == ["c"])
        stage.verbs.finish("create", .failed(.deadlineExceeded, "given up"))
        #expect(stage.takeAnswers() == [])
        stage.verbs.finish("delete")
        #expect(
            stage.takeAnswers() == ["create failed 4: given up", "delete failed 5: container c: not found"])
        #expect(stage.takeEvents() == [])
    }

    @Test("A delete during create removes a container that was created all the same")
    func deleteOfWhatWasJustMadeTakesItAway() {
        stage.create()
        stage.delete()
        stage.verbs.finish("create", .success(VerbAnswer(pid: 10)))
        stage.verbs.finish("delete")
        #expect(stage.takeAnswers() == ["create 10", "delete 10 137"])
        #expect(stage.table.isEmpty)
        #expect(stage.takeEvents() == ["create c 10", "exit c 10 137", "delete c 10 137"])
    }

    @Test("A container being created can be waited for, and a kill gives it up")
    func whatIsBeingMadeIsThere() throws {
        stage.create()
        let (task, process) = try stage.table.process("c", "")
        #expect(task.isBeingMade)
        #expect(process.status == .created)
        try stage.wait()
        stage.start()
        stage.kill("c", "", 10)
        stage.kill()
        #expect(stage.verbs.givenUp == ["c"])
        stage.verbs.finish("create", .failed(.deadlineExceeded, "given up"))
        stage.verbs.finish("delete")
        #expect(
            stage.takeAnswers() == [
                "kill failed 9: process not started", "kill", "wait 137", "create failed 4: given up",
                "start failed 5: container c: not found",
            ])
        #expect(stage.takeEvents() == [])
    }

    @Test("A start during create waits until it is done")
    func whatIsAskedOfAContainerThatIsBeingMadeWaits() {
        stage.create()
        stage.start()
        #expect(stage.verbs.names == ["create"])
        stage.verbs.finish("create", .success(VerbAnswer(pid: 10)))
        stage.verbs.finish("start")
        #expect(stage.takeAnswers() == ["create 10", "start 10"])
    }

    @Test("A shutdown gives up every container being created")
    func shutdownGivesUpWhatIsBeingMade() {
        var ends = 0
        stage.create("a")
        stage.create("b")
        stage.table.giveUpCreating { if stage.table.isEmpty { ends += 1 } }
        #expect(stage.verbs.givenUp.sorted() == ["a", "b"])
        stage.verbs.finish("create", .failed(.unknown))
        stage.verbs.finish("create", .failed(.unknown))
        #expect(ends == 1)
    }

    @Test("A container id is taken from the create request on")
    func idsAreTakenFromTheFirstRequestOn() {
        stage.create()
        stage.create()
        #expect(stage.takeAnswers() == ["create failed 6: container c: already exists"])
        stage.verbs.finish("create", .success(VerbAnswer(pid: 10)))
        stage.create()
        #expect(stage.takeAnswers() == ["create 10", "create failed 6: container c: already exists"])
    }

    @Test("An unknown container or exec is not found")
    func whatIsNotThereIsNotFound() {
        stage.start()
        stage.kill()
        stage.delete()
        #expect(
            stage.takeAnswers() == [
                "start failed 5: container c: not found", "kill failed 5: container c: not found",
                "delete failed 5: container c: not found",
            ])
        stage.running()
        stage.start("c", "e")
        stage.kill("c", "e")
        stage.delete("c", "e")
        #expect(
            stage.takeAnswers() == [
                "start failed 5: process e of container c: not found",
                "kill failed 5: process e of container c: not found",
                "delete failed 5: process e of container c: not found",
            ])
        #expect(stage.verbs.names == [])
        #expect(stage.takeEvents() == [])
    }

    @Test("A container that dies of SIGKILL unasked has the reason logged")
    func aContainerNobodyKilledHasItsReasonLogged() {
        stage.running()
        stage.ends(10, 137)
        #expect(stage.verbs.names == ["explain"])
        stage.verbs.finish("explain", .success(VerbAnswer(payload: Array("fc-vmm ended".utf8))))
        #expect(stage.notes.last?.text == "fc-vmm ended")
        #expect(stage.takeEvents() == ["exit c 10 137"])
    }

    @Test("The number of containers is bounded")
    func theNumberOfContainersIsBounded() {
        for index in 0..<TaskTable.taskLimit { stage.create("c\(index)") }
        stage.create("last")
        #expect(stage.takeAnswers().first?.hasPrefix("create failed 8") == true)
        #expect(stage.verbs.asked.count == TaskTable.taskLimit)
    }
}
