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
    /// Makes a container: its sandbox boots, and everything is ready for its program to start.
    public func create(_ request: CreateRequest) throws(RuntimeError) {
        _ = try make(request, detaches: true)
    }

    /// Makes a container and leaves its directory locked, its proxy running as this process's child. Where that
    /// fails, nothing of it is left.
    func make(_ request: CreateRequest, detaches: Bool) throws(RuntimeError) -> MadeContainer {
        let id = try containerID(request.id)
        guard request.preservedDescriptorCount == 0 else {
            throw .preservedDescriptors(request.preservedDescriptorCount)
        }
        let bundle = try Bundle(path: request.bundle)
        let plan = try Self.plan(bundle, request.rootDisk, id: id)
        let engine = try chooseEngine()
        let directory = try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in try states.create(id) }
        var record = ContainerRecord(
            id: id, ociVersion: bundle.spec.ociVersion, bundle: bundle.path, rootfs: bundle.rootPath,
            ownerUID: getuid(), engine: engine.kind.rawValue, creator: Self.ownIdentity())
        record.annotations = bundle.spec.annotations
        do {
            try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in
                try directory.write(record)
                try directory.write(bundle.document, to: ContainerDirectory.configName)
            }
            let proxy = try make(request, bundle, plan, engine.engine, &record, directory, detaches: detaches)
            return MadeContainer(directory: directory, proxy: proxy)
        } catch {
            // The first error is the one to tell.
            try? endSandbox(of: record)
            try? remove(record, directory)
            throw error
        }
    }

    private func make(
        _ request: CreateRequest, _ bundle: Bundle, _ plan: BundlePlan, _ engine: any Engine,
        _ record: inout ContainerRecord, _ directory: borrowing ContainerDirectory, detaches: Bool
    ) throws(RuntimeError) -> Int32 {
        let process = plan.container.process
        let caller = try callerStreams(
            hasTerminal: process.hasTerminal, size: process.terminalSize, consoleSocket: request.consoleSocket,
            detaches: detaches)
        try Self.makeMountPoints(plan, bundle)
        let lifeline = try launch(bundle, plan, engine, &record, directory)
        let connection = try connect(to: record)
        try ask(connection, .configure(try Self.guestConfiguration(plan.container)))
        let streams = try withGuestSocket(record) { (path, deadline) throws(AgentClientError) in
            try ProcessStreams(hasTerminal: process.hasTerminal, socketPath: path, deadline: deadline)
        }
        var container = plan.container
        container.process.terminalSize = sizeOfCaller(process, detaches: detaches)
        try ask(connection, .create(container, streams: streams.tokens, isOwned: true))
        let proxy = try startProxy(
            of: record, connection: connection, streams: streams, caller: caller, detaches: detaches,
            lifeline: lifeline.rawValue)
        record.process = ProcessIdentity(of: proxy)
        record.status = .created
        let finished = record
        try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in try directory.write(finished) }
        try writePIDFile(proxy, to: request.pidFile)
        return proxy
    }

    private static func plan(
        _ bundle: Bundle, _ rootDisk: RootDisk?, id: ContainerID
    ) throws(RuntimeError) -> BundlePlan {
        let shareName = "0"
        let disk = try rootDisk?.mount(shareName: shareName)
        var plan = try wrapping(RuntimeError.planning) { () throws(PlanningError) in
            try BundlePlan(
                spec: bundle.spec, id: id.rawValue, rootPath: bundle.rootPath, bundlePath: bundle.path,
                shareName: shareName, rootDisk: disk, kind: { path throws(Errno) in try fileKind(path) })
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
