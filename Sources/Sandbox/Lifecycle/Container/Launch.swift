// SPDX-License-Identifier: Apache-2.0
import AgentClient
import AgentProtocol
import Glibc
import Linux
import OCISpec
import Planning
import RuntimeState
import SandboxPlan

/// The making of a container: its machine is claimed, its namespaces on the host are made, its guest is shown what it
/// is to see, and it joins. The steps are the same wherever the machine comes from.
///
/// What a step leaves on the host is noted in the container's record before it is made or, where it only then has a
/// name, at once after: whatever ends this process, `delete` takes it away.
struct Launch {
    let runtime: Runtime
    let request: CreateRequest
    /// The caller does not stay to be the terminal's other side.
    let detaches: Bool
    let id: ContainerID
    let bundle: Bundle
    let plan: BundlePlan
    let sandbox: Sandbox
    /// The container's directory in the tree that its guest is shown.
    let shareName: String
    private let sources: MountSources

    /// Reads the bundle and decides all that can be decided before anything is made.
    init(_ request: CreateRequest, detaches: Bool, by runtime: Runtime) throws(RuntimeError) {
        self.runtime = runtime
        self.request = request
        self.detaches = detaches
        id = try runtime.containerID(request.id)
        guard request.preservedDescriptorCount == 0 else {
            throw .preservedDescriptors(request.preservedDescriptorCount)
        }
        bundle = try Bundle(path: request.bundle)
        let running = try runtime.runningSandbox(joinedBy: bundle, id)
        if running != nil, let disk = request.rootDisk { throw .diskInPod(path: disk.path) }
        shareName = running == nil ? Self.ownShareName : Self.newShareName()
        sources = MountSources()
        var plan = try BundlePlan(
            bundle, id: id, shareName: shareName, place: running?.place, rootDisk: request.rootDisk, sources)
        if plan.container.process.hasTerminal, let size = request.terminalSize {
            plan.container.process.terminalSize = size
        }
        runtime.followCaller(&plan.container.process, request.io, detaches: detaches)
        plan.container.process.inheritResourceLimits()
        try plan.container.checkFitsMessage()
        self.plan = plan
        if let running { sandbox = .running(running) } else { sandbox = try runtime.newSandbox(for: bundle, plan) }
    }

    /// Takes the container's name and directory; the record is not written yet.
    func begin() throws(RuntimeError) -> LockedContainer {
        let directory = try wrapping(RuntimeError.state, runtime.states.create(id))
        var record = ContainerRecord(
            id: id, ociVersion: bundle.spec.ociVersion, bundle: bundle.path, rootfs: bundle.rootPath,
            ownerUID: getuid(), engine: "", creator: .own)
        record.annotations = bundle.spec.annotations
        switch sandbox {
        case .new(let source, let size, _):
            record.engine = source.engine.kind.rawValue
            record.machine = size.record
        case .running(let running):
            record.engine = running.record.engine
            record.sandboxID = running.record.id
            record.supervisor = running.record.supervisor
            record.shareName = shareName
        }
        return LockedContainer(directory, record)
    }

    /// Makes the container in the directory that ``begin()`` has taken.
    ///
    /// - Returns: the pid of the fc-proxy that stands for its program, this process's child.
    func run(_ container: inout LockedContainer) throws(RuntimeError) -> Int32 {
        try wrapping(RuntimeError.state, container.update { _ in })
        try wrapping(RuntimeError.state, container.directory.write(bundle.document, to: ContainerDirectory.configName))
        // Before anything boots: the caller may have no terminal for it.
        let process = plan.container.process
        let caller = try runtime.callerStreams(
            request.io, hasTerminal: process.hasTerminal, size: process.terminalSize,
            consoleSocket: request.consoleSocket, detaches: detaches)
        let shown = try ShareSources(plan.shares)
        let given = try givenNetwork()
        let cgroups = try claim(&container)
        let standIn = try makeStandIn(
            shown, network: FileDescriptor.borrowed(of: given), caller, cgroups, container.record)
        _ = consume given
        try note(standIn, &container)
        let network = try standIn.network()
        let machine = try machine(for: &container, cgroups: cgroups, network: network.borrowed)
        // Open until the jail is in it.
        _ = consume network
        // A new machine boots meanwhile.
        try machine.show(SharedTree(shown))
        let carried = try complete(standIn, &container)
        return try join(machine, carried, as: standIn, caller, &container)
    }

    /// The directory of a machine's own container in the shared tree.
    static let ownShareName = "0"

    /// A name that nothing in the tree has, or had: a guest may remember what it saw there.
    private static func newShareName() -> String { "m" + String(UInt64.random(in: .min ... .max), radix: 16) }

    /// The network namespace that the document names. In the machine of others it is theirs, whatever the document
    /// calls it.
    private func givenNetwork() throws(RuntimeError) -> FileDescriptor? {
        if case .running = sandbox { return nil }
        return try NetworkNamespace.open(bundle.spec)
    }

    private func makeStandIn(
        _ shown: borrowing ShareSources, network: BorrowedDescriptor?, _ caller: borrowing CallerStreams,
        _ cgroups: borrowing CgroupDescriptors, _ record: ContainerRecord
    ) throws(RuntimeError) -> StandIn {
        var order = StandInOrder(container: plan.container, place: bundle.rootPath, cgroups: cgroups.lists.borrowed)
        order.network = network
        if case .running(let running) = sandbox { order.sandbox = running.record.standIn }
        let spec = bundle.spec
        order.runHooks = { pid in Runtime.runHooks(.createContainer, of: record, spec, pid: pid) }
        let null = try Runtime.openNull()
        let made = try StandIn(
            order, shown,
            program: runtime.proxyProgram(caller, cgroups: cgroups, null: null.borrowed, detaches: detaches),
            executable: try ProxyExecutable(runtime.options.parts))
        // Open until the child has its copies.
        _ = consume null
        return made
    }

    private func note(_ standIn: borrowing StandIn, _ container: inout LockedContainer) throws(RuntimeError) {
        let (process, holder) = (ProcessIdentity(of: standIn.process.pid), standIn.holder)
        try wrapping(
            RuntimeError.state,
            container.update { record in
                record.process = process
                record.standIn = holder
            })
    }

    /// Runs the hooks that run before the container's root is entered, carries into the machine what is in its network
    /// namespace then, and enters the root.
    ///
    /// - Returns: the network that the guest is to have; nil where that is loopback, or others' and there already.
    private func complete(
        _ standIn: borrowing StandIn, _ container: inout LockedContainer
    ) throws(RuntimeError) -> NetworkPlan? {
        try runtime.runCreationHooks(standIn, of: container.record, bundle.spec)
        let path = "/proc/\(standIn.process.pid)/ns/net"
        let namespace = try standIn.network()
        var carried: NetworkPlan?
        switch sandbox {
        case .new:
            carried = try SandboxNetwork(runtime.files(of: container.record), path: path)
                .carry(namespace.borrowed, of: &container)
        case .running(let running):
            let theirs = running.record.standIn.flatMap { NamedNamespace.identity(at: "/proc/\($0.pid)/ns/net") }
            if theirs != NamedNamespace.identity(at: path) {
                try NetworkNamespace.checkEmpty(namespace.borrowed, path: path)
            }
        }
        _ = consume namespace
        try standIn.enterRoot()
        return carried
    }

    /// Makes the container in its guest, and has `standIn` stand for its program.
    private func join(
        _ machine: borrowing Machine, _ network: NetworkPlan?, as standIn: borrowing StandIn,
        _ caller: borrowing CallerStreams,
        _ container: inout LockedContainer
    ) throws(RuntimeError) -> Int32 {
        var guest = plan.container
        let sockets = try BoundSocketFiles(plan.sockets, sources, machine.files, &guest)
        let connection = try machine.agent(configuration: .ofHost(hostname: id.rawValue))
        try SandboxNetwork.tell(network, by: connection, of: &container)
        try offerResolver(of: standIn, machine, connection, &container)
        let streams = try machine.files.connect(caller.streams)
        try connection.ask(
            .create(guest, streams: streams.tokens, isOwned: true), timeout: AgentConnection.createTimeout)
        if guest.root.isReadOnly, case .shared(let path) = guest.root.source { try machine.fileServer().seal(path) }
        // A mount that failed in the guest as well has been told of in its words.
        if let problem = standIn.problem { throw .standIn(problem) }
        let proxy = standIn.process.pid
        let server = try runtime.startServer(of: sockets, until: proxy, container.record)
        try wrapping(
            RuntimeError.state,
            container.update { record in
                record.socketServer = server
                record.status = .created
            })
        try runtime.writePIDFile(proxy, to: request.pidFile)
        // Last: the process ends by itself where this one does before anybody knows of it.
        let memory = container.record.openMemoryCgroup()
        var arguments = Runtime.proxyArguments(
            ProcessName(container: container.record.id), connection: connection, streams: streams, caller: caller)
        arguments.stallMilliseconds = request.stallMilliseconds
        arguments.lifeline = FileDescriptor.borrowed(of: machine.lifeline)?.rawValue
        // Of all processes of a container the first is the one that clients watch.
        arguments.memoryCgroup = FileDescriptor.borrowed(of: memory)?.rawValue
        try standIn.process.serve(arguments)
        _ = consume memory
        return proxy
    }
}

extension Runtime {
    /// A machine of the container's own, decided upon.
    fileprivate func newSandbox(for bundle: Bundle, _ plan: BundlePlan) throws(RuntimeError) -> Sandbox {
        let source = MachineSource.boot(try chooseEngine())
        let pod = try bundle.podResources()
        let size = try MachineSize(
            for: plan, of: bundle, pod: pod, options: options,
            overheadByteCount: source.engine.engine.memoryOverheadByteCount)
        log(.debug, "guest kernel \(size.plan.kernelPath), devices by \(size.plan.deviceDiscovery.rawValue)")
        return .new(source, size, pod)
    }
}

/// A container just made.
struct MadeContainer: ~Copyable {
    let container: LockedContainer
    /// This process's child.
    let proxy: Int32

    consuming func takeContainer() -> LockedContainer { container }
}
