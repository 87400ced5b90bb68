// SPDX-License-Identifier: Apache-2.0
import OCISpec
import Testing

@testable import RuntimeState

@Suite("RuntimeState: lifecycle") struct LifecycleTests {
    /// The whole table: what each state allows.
    static let allowed: [State.Status: Set<Verb>] = [
        .creating: [.forceDelete],
        .created: [.start, .kill, .exec, .pause, .update, .delete, .forceDelete],
        .running: [.kill, .exec, .pause, .update, .forceDelete],
        .paused: [.kill, .resume, .update, .forceDelete],
        .stopped: [.delete, .forceDelete],
    ]

    @Test("Each state allows exactly the verbs of the lifecycle table", arguments: State.Status.allCases, Verb.allCases)
    func table(_ status: State.Status, _ verb: Verb) throws {
        let isAllowed = try #require(Self.allowed[status]).contains(verb)
        #expect(Lifecycle.allows(verb, in: status) == isAllowed)
        let id = try ContainerID("c")
        if isAllowed {
            try Lifecycle.check(verb, of: id, in: status)
        } else {
            #expect(throws: RuntimeStateError.self) { try Lifecycle.check(verb, of: id, in: status) }
        }
    }

    @Test(
        "A verb that the state forbids is refused in runc's words",
        arguments: [
            (Verb.start, State.Status.running, "cannot start an already running container"),
            (.start, .stopped, "cannot start a container that has stopped"),
            (.start, .paused, "cannot start a container in the paused state"),
            (.kill, .stopped, "container not running"),
            (.pause, .paused, "container not running"),
            (.pause, .stopped, "container not running"),
            (.resume, .running, "container not paused"),
            (.resume, .stopped, "container not paused"),
            (.update, .stopped, "container not running"),
            (.exec, .paused, "cannot exec in a paused container (use --ignore-paused to override)"),
            (.delete, .running, "cannot delete container c that is not stopped: running"),
            (.delete, .creating, "cannot delete container c that is not stopped: creating"),
            (.exec, .stopped, "cannot exec in a stopped container"),
            (.exec, .creating, "cannot exec in a container in the creating state"),
        ])
    func saysItAsRuncDoes(_ verb: Verb, _ status: State.Status, _ text: String) throws {
        let id = try ContainerID("c")
        let error = try #require(throws: RuntimeStateError.self) { try Lifecycle.check(verb, of: id, in: status) }
        #expect(error.description == text)
    }
}
