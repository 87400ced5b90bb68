// SPDX-License-Identifier: Apache-2.0
import TTRPC
import Testing

@testable import TaskService

/// Verbs that meet: which waits, which overtakes, which is refused.
@Suite struct VerbTests {
    let stage = Stage()

    @Test("Verbs of a container run one after another")
    func verbsOfAContainerWaitForOneAnother() {
        stage.running()
        stage.table.pause("c", reply: stage.note("pause"))
        stage.table.resume("c", reply: stage.note("resume"))
        stage.table.update("c", resources: [], reply: stage.note("update"))
        #expect(stage.verbs.names == ["pause"])
        stage.verbs.finish("pause")
        #expect(stage.verbs.names == ["resume"])
        stage.verbs.finish("resume")
        #expect(stage.verbs.names == ["update"])
        stage.verbs.finish("update")
        #expect(stage.takeEvents() == ["paused c", "resumed c"])
        #expect(stage.takeAnswers() == ["pause", "resume", "update"])
    }

    @Test("Verbs of different containers run at the same time")
    func containersDoNotWaitForOneAnother() {
        stage.running("a", pid: 1)
        stage.running("b", pid: 2)
        stage.table.pause("a", reply: stage.note("pause"))
        stage.table.pause("b", reply: stage.note("pause"))
        #expect(stage.verbs.names == ["pause", "pause"])
    }

    @Test("A kill does not wait for other verbs")
    func killOvertakes() {
        stage.create()
        stage.verbs.finish("create", .success(VerbAnswer(pid: 10)))
        stage.start()
        stage.kill()
        stage.kill()
        #expect(stage.verbs.names == ["start", "kill", "kill"])
        stage.verbs.finish("kill")
        stage.ends(10, 137)
        stage.verbs.finish("kill", .failed(.notFound, "container not running"))
        stage.verbs.finish("start", .failed(.unavailable, "guest agent: gone"))
        #expect(
            stage.takeAnswers() == [
                "create 10", "kill", "kill failed 5: process already finished", "start failed 14: guest agent: gone",
            ])
        #expect(stage.takeEvents() == ["create c 10", "exit c 10 137"])
    }

    @Test("Killing a process that has ended is answered with not found")
    func killOfWhatHasEndedIsNotFound() {
        stage.running()
        stage.ends(10, 0)
        stage.kill()
        #expect(stage.takeAnswers() == ["kill failed 5: process already finished"])
        #expect(stage.verbs.names == [])
    }

    @Test("A signal number that does not exist is refused")
    func signalsThatAreNoneAreRefused() {
        stage.running()
        stage.kill("c", "", 65)
        #expect(stage.takeAnswers() == ["kill failed 3: there is no signal 65"])
    }

    @Test("A delete during start waits, and is then refused")
    func deleteDuringStartWaitsAndIsRefusedThen() {
        stage.create()
        stage.verbs.finish("create", .success(VerbAnswer(pid: 10)))
        stage.start()
        stage.delete()
        #expect(stage.verbs.names == ["start"])
        stage.verbs.finish("start")
        #expect(
            stage.takeAnswers() == ["create 10", "start 10", "delete failed 9: cannot delete a running process"])
    }

    @Test("Deleting a created container reports its exit first")
    func deleteOfACreatedOneTellsOfItsEndFirst() throws {
        stage.create()
        stage.verbs.finish("create", .success(VerbAnswer(pid: 10)))
        try stage.wait()
        stage.table.reap = { [stage] in stage.ends(10, 137) }
        stage.delete()
        stage.verbs.finish("delete")
        #expect(stage.takeEvents() == ["create c 10", "exit c 10 137", "delete c 10 137"])
        #expect(stage.takeAnswers() == ["create 10", "wait 137", "delete 10 137"])
    }

    @Test("A delete that fails leaves the container to the next delete")
    func deleteThatFailsLeavesTheContainer() {
        stage.running()
        stage.ends(10, 0)
        stage.delete()
        stage.delete()
        stage.verbs.finish("delete", .failed(.unknown, "busy"))
        stage.verbs.finish("delete")
        #expect(stage.takeAnswers() == ["delete failed 2: busy", "delete 10 0"])
    }

    @Test("The second of two deletes finds no container")
    func theSecondOfTwoDeletesFindsNothing() {
        stage.running()
        stage.ends(10, 0)
        stage.delete()
        stage.delete()
        stage.verbs.finish("delete")
        #expect(stage.takeAnswers() == ["delete 10 0", "delete failed 5: container c: not found"])
    }

    @Test("Every waiter gets the exit status, even after the exit")
    func everybodyWhoWaitsIsTold() throws {
        stage.running()
        for _ in 0..<3 { try stage.wait() }
        stage.ends(10, 3)
        try stage.wait()
        #expect(stage.takeAnswers() == ["wait 3", "wait 3", "wait 3", "wait 3"])
    }

    @Test("Pause and update need a running container, and resume needs a paused one")
    func pauseNeedsARunningContainer() {
        stage.running()
        stage.table.resume("c", reply: stage.note("resume"))
        stage.ends(10, 0)
        stage.table.pause("c", reply: stage.note("pause"))
        stage.table.update("c", resources: [], reply: stage.note("update"))
        #expect(
            stage.takeAnswers() == [
                "resume failed 9: cannot resume a running container",
                "pause failed 9: cannot pause a stopped container",
                "update failed 9: cannot update a stopped container",
            ])
    }

    @Test("A container that ends while paused reports its exit")
    func aContainerThatEndsWhilePausedHasEnded() {
        stage.running()
        stage.table.pause("c", reply: stage.note("pause"))
        stage.verbs.finish("pause")
        stage.ends(10, 137)
        #expect(stage.takeEvents() == ["paused c", "exit c 10 137"])
    }
}
