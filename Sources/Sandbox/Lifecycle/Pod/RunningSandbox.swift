// SPDX-License-Identifier: Apache-2.0
import Linux
import OCISpec
import Planning
import RuntimeState
import SandboxPlan

/// The machine of others that a container is to run in.
struct RunningSandbox {
    /// Of the container that it was made for.
    let record: ContainerRecord
    let place: PodPlace
    /// It ends with the sandbox, and not with the last who runs in it.
    let goesWithSandbox: Bool
}

extension Runtime {
    /// The machine that the container of `bundle` joins: that of the sandbox which its annotations name, or of the
    /// containers whose namespaces its document names by path, as podman's and docker's do. nil where it has its own.
    func runningSandbox(joinedBy bundle: Bundle, _ id: ContainerID) throws(RuntimeError) -> RunningSandbox? {
        if case .member(let name) = bundle.role {
            let sandbox = try sandbox(named: name, for: id)
            return RunningSandbox(record: sandbox, place: .member(sandbox: sandbox.id), goesWithSandbox: true)
        }
        let named = (bundle.spec.linux?.namespaces ?? []).enumerated().compactMap(NamedNamespace.init)
        guard !named.isEmpty else { return nil }
        let running = try runningContainers()
        var owners: [NamespaceKind: ContainerRecord] = [:]
        var first: ContainerRecord?
        var strange: NamedNamespace?
        for namespace in named {
            guard let owner = try owner(of: namespace, among: running) else {
                // A network may be the host's.
                guard namespace.kind == .network else { throw namespace.failure(.isForeign) }
                strange = namespace
                continue
            }
            if let first, first.supervisor != owner.supervisor {
                throw namespace.failure(.isElsewhere(container: owner.id, other: first.id))
            }
            first = first ?? owner
            owners[namespace.kind] = owner
        }
        guard let first else { return nil }
        let sandbox = try wrapping(RuntimeError.state, states.machineRecord(of: first))
        if let strange {
            // Given to the sandbox as well, it is its machine's.
            guard try networkIdentity(givenTo: sandbox) == strange.identity() else {
                throw strange.failure(.isForeign)
            }
            owners[.network] = sandbox
        }
        return RunningSandbox(
            record: sandbox, place: .joined(sandbox: sandbox.id, owners.mapValues(\.id)), goesWithSandbox: false)
    }

    private func runningContainers() throws(RuntimeError) -> [ContainerRecord] {
        try wrapping(RuntimeError.state, states.summaries()).compactMap {
            guard case .container(let record) = $0 else { return nil }
            return [.created, .running, .paused].contains(record.currentStatus) ? record : nil
        }
    }

    /// The container whose process the path names, or stands in that namespace.
    private func owner(
        of namespace: NamedNamespace, among records: [ContainerRecord]
    ) throws(RuntimeError) -> ContainerRecord? {
        if let pid = namespace.pid, let owner = records.first(where: { $0.process?.pid == pid }) { return owner }
        let wanted = try namespace.identity()
        // A process that stands in the host's tells nothing.
        guard wanted != namespace.identity(of: "self") else { return nil }
        return records.first { record in
            guard let process = record.process, namespace.identity(of: "\(process.pid)") == wanted else { return false }
            // A network that the container was given is not its own to share.
            return namespace.kind != .network || ((try? networkIdentity(givenTo: record)) ?? nil) == nil
        }
    }

    /// The network namespace that the document of `record` names, where it names one.
    private func networkIdentity(givenTo record: ContainerRecord) throws(RuntimeError) -> NamedNamespace.Identity? {
        let path = "\(record.isMember ? "\(options.root)/\(record.id)" : states.machinePath(of: record))"
        return try networkPath(inDocumentAt: path).flatMap { NamedNamespace.identity(at: $0) }
    }

    private func networkPath(inDocumentAt directory: String) throws(RuntimeError) -> String? {
        let path = "\(directory)/\(ContainerDirectory.configName)"
        let bytes = try wrapping(
            { .configuration(path: path, $0) },
            FileDescriptor.open(path, [.noFollow, .nonBlocking]).readAll(limit: Spec.byteLimit))
        let spec = try wrapping(RuntimeError.spec, Spec.parse(bytes))
        let network = spec.linux?.namespaces.first { $0.type == .network }?.path ?? ""
        return network.isEmpty ? nil : network
    }
}
