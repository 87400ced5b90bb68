// SPDX-License-Identifier: Apache-2.0
import Linux
import OCISpec
public import Planning
import RuntimeState

/// Containers that run in the machine of another, their pod's sandbox.
extension Runtime {
    /// How the container of the bundle at `path` stands to others; of its document only that is looked at.
    public func podRole(ofBundle path: String) throws(RuntimeError) -> PodRole {
        let file = path + "/config.json"
        let bytes = try wrapping(
            { .configuration(path: file, $0) }, FileDescriptor.open(file, .nonBlocking).readAll(limit: Spec.byteLimit))
        let spec = try wrapping(RuntimeError.spec, Spec.parse(bytes))
        return try wrapping(RuntimeError.planning, PodRole(spec))
    }

    /// The id of the container in whose machine that of `id` runs: its own, where it is alone.
    public func sandbox(of id: String) throws(RuntimeError) -> String {
        try record(containerID(id)).sandboxID
    }

    /// The machine that the container of `record` runs in; nil for one that an earlier version made.
    func machine(of record: ContainerRecord) throws(RuntimeError) -> MachineRecord? {
        guard record.isMember else { return record.machine }
        return try wrapping(
            { $0 == .doesNotExist ? .sandboxGone(record.sandboxID) : .state($0) },
            states.machineRecord(of: record).machine)
    }

    /// The sandbox that members call `name`.
    ///
    /// - Throws: what is wrong with it: it is not there, does not run, is no sandbox, or the asker itself.
    func sandbox(named name: String, for id: ContainerID) throws(RuntimeError) -> ContainerRecord {
        guard name != id.rawValue else { throw .sandbox(name, problem: .isTheContainer) }
        var found: ContainerRecord?
        do {
            found = try states.record(of: containerID(name))
        } catch let error as RuntimeStateError {
            guard error == .doesNotExist else { throw .state(error) }
            found = try sandbox(ofPod: name)
        } catch {
            throw .sandbox(name, problem: .isMissing)
        }
        guard let sandbox = found else { throw .sandbox(name, problem: .isMissing) }
        if sandbox.isMember { throw .sandbox(name, problem: .isMember(of: sandbox.sandboxID)) }
        guard case .sandbox = (try? PodRole(annotations: sandbox.annotations)) ?? .alone else {
            throw .sandbox(name, problem: .isAlone)
        }
        let status = sandbox.currentStatus
        guard [.created, .running, .paused].contains(status), sandbox.machine?.isShared == true else {
            throw .sandbox(name, problem: .isNotRunning(status))
        }
        return sandbox
    }

    /// podman names the pod, which is no container.
    private func sandbox(ofPod name: String) throws(RuntimeError) -> ContainerRecord? {
        let summaries = try wrapping(RuntimeError.state, states.summaries())
        let sandboxes = summaries.compactMap { summary -> ContainerRecord? in
            if case .container(let record) = summary, record.machine?.podName == name { record } else { nil }
        }
        return sandboxes.first { $0.currentStatus != .stopped } ?? sandboxes.first
    }

    /// The files of the machine that the container of `record` runs in.
    func files(of record: ContainerRecord) -> MachineFiles { MachineFiles(directory: states.machinePath(of: record)) }
}

extension Bundle {
    /// What the pod may use of which the bundle makes the sandbox; nil for a container alone.
    func podResources() throws(RuntimeError) -> PodResources? {
        switch role {
        case .alone, .member: nil
        case .infra: PodResources()
        case .sandbox: try wrapping(RuntimeError.planning, PodResources(annotations: spec.annotations))
        }
    }
}
