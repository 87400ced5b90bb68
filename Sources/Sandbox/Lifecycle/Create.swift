import AgentClient
import AgentProtocol
import Cgroup
import Engine
import Glibc
import Linux
import OCISpec
import Planning
import RuntimeState
import SandboxPlan

extension Runtime {
    /// Makes a container: its sandbox boots, or it joins the one that its annotations name, and everything is ready for
    /// its program to start.
    ///
    /// - Returns: the pid of the fc-proxy that stands for the program, which is this process's child.
    @discardableResult
    public func create(_ request: CreateRequest) throws(RuntimeError) -> Int32 {
        let made = try make(request, detaches: true)
        return made.proxy
    }

    /// Makes a container and leaves its directory locked, its proxy running as this process's child. Where that
    /// fails, nothing of it is left.
    func make(_ request: CreateRequest, detaches: Bool) throws(RuntimeError) -> MadeContainer {
        let id = try containerID(request.id)
        guard request.preservedDescriptorCount == 0 else {
            throw .preservedDescriptors(request.preservedDescriptorCount)
        }
        let bundle = try Bundle(path: request.bundle)
        let sandbox = try sandbox(for: bundle, id)
        if sandbox != nil, let disk = request.rootDisk { throw .diskInPod(path: disk.path) }
        let shareName = sandbox == nil ? Self.ownShareName : Self.newShareName()
        var plan = try Self.plan(bundle, request.rootDisk, id: id, shareName: shareName, sandbox)
        if plan.container.process.hasTerminal, let size = request.terminalSize {
            plan.container.process.terminalSize = size
        }
        plan.container.process.terminalSize = sizeOfCaller(plan.container.process, request.io, detaches: detaches)
        let engine = sandbox == nil ? try chooseEngine() : nil
        let directory = try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in try states.create(id) }
        var record = ContainerRecord(
            id: id, ociVersion: bundle.spec.ociVersion, bundle: bundle.path, rootfs: bundle.rootPath,
            ownerUID: getuid(), engine: engine?.kind.rawValue ?? sandbox?.engine ?? "", sandboxID: sandbox?.id,
            creator: Self.ownIdentity())
        record.annotations = bundle.spec.annotations
        if let sandbox {
            record.supervisor = sandbox.supervisor
            record.shareName = shareName
        }
        do {
            try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in
                try directory.write(record)
                try directory.write(bundle.document, to: ContainerDirectory.configName)
            }
            // Before anything boots: the caller may have no terminal for it.
            let process = plan.container.process
            let caller = try callerStreams(
                request.io, hasTerminal: process.hasTerminal, size: process.terminalSize,
                consoleSocket: request.consoleSocket, detaches: detaches)
            let lifeline = try place(bundle, plan, engine?.engine, sandbox, &record, directory)
            let proxy = try make(request, plan, lifeline, caller, &record, directory, detaches: detaches)
            return MadeContainer(directory: directory, proxy: proxy)
        } catch {
            // The first error is the one to tell.
            try? endContainer(record)
            try? remove(record, directory)
            throw error
        }
    }

    /// Sees to a machine for the container: boots one, or joins that of `sandbox`.
    ///
    /// - Returns: the lifeline of one of its own.
    private func place(
        _ bundle: Bundle, _ plan: BundlePlan, _ engine: (any Engine)?, _ sandbox: ContainerRecord?,
        _ record: inout ContainerRecord, _ directory: borrowing ContainerDirectory
    ) throws(RuntimeError) -> FileDescriptor? {
        try Self.makeMountPoints(plan, bundle)
        if let sandbox {
            try join(sandbox, bundle, plan, &record, directory)
            return nil
        }
        guard let engine else { return nil }
        let lifeline = try launch(bundle, plan, engine, &record, directory)
        try ask(try connect(to: record), .configure(try Self.guestConfiguration(plan.container)))
        return lifeline
    }

    /// Makes the container in its machine, and the process that stands for its program.
    private func make(
        _ request: CreateRequest, _ plan: BundlePlan, _ lifeline: borrowing FileDescriptor?,
        _ caller: borrowing CallerStreams, _ record: inout ContainerRecord, _ directory: borrowing ContainerDirectory,
        detaches: Bool
    ) throws(RuntimeError) -> Int32 {
        let connection = try connect(to: record)
        let streams = try withGuestSocket(record) { (path, deadline) throws(AgentClientError) in
            try ProcessStreams(caller.streams, socketPath: path, deadline: deadline)
        }
        try ask(
            connection, .create(plan.container, streams: streams.tokens, isOwned: true), timeout: Self.createTimeout)
        let proxy = try startProxy(
            of: record, connection: connection, streams: streams, caller: caller, detaches: detaches,
            stallMilliseconds: request.stallMilliseconds, lifeline: Self.number(of: lifeline))
        record.process = ProcessIdentity(of: proxy)
        record.status = .created
        let finished = record
        try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in try directory.write(finished) }
        try writePIDFile(proxy, to: request.pidFile)
        return proxy
    }

    /// The sandbox that the container of `bundle` joins; nil where it has a machine of its own.
    private func sandbox(for bundle: Bundle, _ id: ContainerID) throws(RuntimeError) -> ContainerRecord? {
        guard case .member(let name) = bundle.role else { return nil }
        return try sandbox(named: name, for: id)
    }

    /// The directory of a machine's own container in the shared tree.
    private static let ownShareName = "0"

    /// A name that nothing in the tree has, or had: a guest may remember what it saw there.
    private static func newShareName() -> String { "m" + String(UInt64.random(in: .min ... .max), radix: 16) }

    private static func plan(
        _ bundle: Bundle, _ rootDisk: RootDisk?, id: ContainerID, shareName: String, _ sandbox: ContainerRecord?
    ) throws(RuntimeError) -> BundlePlan {
        let place: PodPlace =
            switch bundle.role {
            case .alone: .alone
            case .sandbox: .sandbox
            case .member(let name): .member(sandbox: sandbox?.id ?? name)
            }
        let disk = try rootDisk?.mount(shareName: shareName)
        var plan = try wrapping(RuntimeError.planning) { () throws(PlanningError) in
            try BundlePlan(
                spec: bundle.spec, id: id.rawValue, rootPath: bundle.rootPath, bundlePath: bundle.path,
                shareName: shareName, place: place, rootDisk: disk,
                kind: { path throws(Errno) in try fileKind(path) })
        }
        if let rootDisk, let disk {
            plan.disks = [HostDisk(path: rootDisk.path, serial: disk.serial, isReadOnly: disk.isReadOnly)]
        }
        return plan
    }

    /// A root that will be read-only gets its mount points now.
    private static func makeMountPoints(_ plan: BundlePlan, _ bundle: Bundle) throws(RuntimeError) {
        guard plan.container.root.isReadOnly, case .shared = plan.container.root.source else { return }
        let root = try wrapping({ .share(path: bundle.rootPath, $0) }) { () throws(Errno) in
            RootDirectory(descriptor: try FileDescriptor.open(bundle.rootPath, [.path, .directory, .noFollow]))
        }
        try Share.makeMountPoints(plan.container.mounts, in: root)
    }

    private static func fileKind(_ path: String) throws(Errno) -> BundlePlan.FileKind {
        _ = try FileDescriptor.open(path, .path)
        return isDirectory(path) ? .directory : .other
    }

    private static func guestConfiguration(_ container: ContainerPlan) throws(RuntimeError) -> GuestConfiguration {
        let now = Timestamp.now()
        var entropy: [UInt8] = []
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<64 { entropy.append(UInt8.random(in: .min ... .max, using: &generator)) }
        return GuestConfiguration(
            hostname: container.id, timeNanoseconds: now.seconds * 1_000_000_000 + now.nanoseconds, entropy: entropy)
    }

    private static func ownIdentity() -> ProcessIdentity {
        // This process is there, so it has a start time.
        ProcessIdentity(of: getpid()) ?? ProcessIdentity(pid: getpid(), startTime: 0)
    }
}

/// A container just made.
struct MadeContainer: ~Copyable {
    /// Locked.
    let directory: ContainerDirectory
    /// This process's child.
    let proxy: Int32
}
