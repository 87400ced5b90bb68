// SPDX-License-Identifier: Apache-2.0
import OCISpec

/// What can be asked of a container that is there.
public enum Verb: String, Sendable, CaseIterable {
    case start, kill, exec, pause, resume, update, delete
    /// `delete --force`, which takes a container in any state.
    case forceDelete = "forcibly delete"
}

/// creating → created → running → stopped (runtime-spec runtime.md#lifecycle), and paused beside running.
public enum Lifecycle {
    /// Whether a container in this state takes the verb.
    public static func allows(_ verb: Verb, in status: State.Status) -> Bool {
        switch (verb, status) {
        case (.start, .created): true
        case (.start, _): false
        case (.kill, .created), (.kill, .running), (.kill, .paused): true
        case (.kill, .creating), (.kill, .stopped): false
        // As runc: what has been created has its namespaces, so more can run in them.
        case (.exec, .created), (.exec, .running): true
        case (.exec, .creating), (.exec, .paused), (.exec, .stopped): false
        case (.pause, .created), (.pause, .running): true
        case (.pause, .creating), (.pause, .paused), (.pause, .stopped): false
        case (.resume, .paused): true
        case (.resume, _): false
        case (.update, .created), (.update, .running), (.update, .paused): true
        case (.update, .creating), (.update, .stopped): false
        // As runc: a created container has not run anything, and goes without being asked twice.
        case (.delete, .created), (.delete, .stopped): true
        case (.delete, .creating), (.delete, .running), (.delete, .paused): false
        case (.forceDelete, _): true
        }
    }

    /// Refuses what the state does not allow, in runc's words.
    public static func check(_ verb: Verb, of id: ContainerID, in status: State.Status) throws(RuntimeStateError) {
        if allows(verb, in: status) { return }
        switch (verb, status) {
        case (.start, _): throw .cannotStart(status)
        case (.exec, _): throw .cannotExec(status)
        case (.kill, .stopped), (.pause, _), (.update, .stopped): throw .notRunning
        case (.resume, _): throw .notPaused
        case (.delete, _): throw .cannotDelete(id: id.rawValue, status)
        case (.kill, _), (.update, _), (.forceDelete, _): throw .notInState(verb: verb, status)
        }
    }
}
