// SPDX-License-Identifier: Apache-2.0
public import OCISpec
import SandboxPlan

extension BundlePlan {
    /// What a path on the host is; the planner itself touches no file.
    public enum FileKind: Sendable {
        case directory
        /// A directory of the host's cgroups.
        case cgroup
        /// A unix socket at which a program listens for streams.
        case socket
        /// One of datagrams, or of sequenced packets.
        case datagramSocket
        case packetSocket
        case fifo
        case other
    }

    /// Makes the plan of a validated document that asks for nothing unsupported.
    ///
    /// - Parameters:
    ///   - rootPath: the root file system, absolute, every symlink resolved.
    ///   - bundlePath: what relative mount sources are relative to.
    ///   - shareName: the container's directory in the shared tree, unique in the sandbox.
    ///   - place: whose namespaces it shares.
    ///   - rootDisk: where the root file system is, instead of at `rootPath`.
    ///   - kind: what stands at a path of the host; throws the reason, for a person, if nothing usable does.
    ///   - memorySize: how many bytes the tmpfs at a path of the host holds; nil where it is none.
    public init(
        spec: Spec, id: String, rootPath: String, bundlePath: String, shareName: String, place: PodPlace = .alone,
        rootDisk: DiskMount? = nil, kind: (String) throws -> FileKind, memorySize: (String) -> UInt64? = { _ in nil }
    ) throws(PlanningError) {
        guard let document = spec.process else { throw .field(path: "process", problem: "is required") }
        let isReadOnly = spec.root?.readonly ?? false
        let root: RootPlan
        if let rootDisk {
            shares = []
            root = RootPlan(.disk(rootDisk), isReadOnly: isReadOnly || rootDisk.isReadOnly)
        } else {
            // What the document has made in a read-only root is made first: the host seals it afterwards.
            var share = Share(
                source: rootPath, sharedPath: "\(shareName)/rootfs", isFile: false, isRecursive: true,
                isReadOnly: false, isRecursivelyReadOnly: false)
            share.followsLinks = false
            shares = [share]
            root = RootPlan(.shared(path: share.sharedPath), isReadOnly: isReadOnly)
        }
        container = ContainerPlan(
            id: id, process: try ProcessPlan(document, seccomp: spec.linux?.seccomp), root: root)
        container.hostname = spec.hostname.isEmpty ? nil : spec.hostname
        container.domainName = spec.domainname.isEmpty ? nil : spec.domainname
        var cgroups = CgroupBinds()
        for (index, mount) in spec.mounts.enumerated() {
            let (plan, share, socket) = try MountPlan.planning(
                mount, index: index, bundlePath: bundlePath, sharedPath: "\(shareName)/mounts/\(index)", kind: kind)
            if plan.isSharedMemory(of: mount),
                let shared = plan.sharedMemory(place, size: { memorySize(mount.source) })
            {
                container.mounts.append(shared)
                continue
            }
            if let share, plan.isCgroupBind, share.isOfCgroups {
                if let plan = cgroups.take(plan) { container.mounts.append(plan) }
                continue
            }
            container.mounts.append(plan)
            if let share { shares.append(share) }
            if let socket { sockets.append(BoundSocket(mountIndex: container.mounts.count - 1, source: socket)) }
        }
        cgroups.finish(&container.mounts)
        limits = SizingLimits(spec.linux?.resources)
        guard let linux = spec.linux else {
            container.namespaces = NamespacePlan.planning([], place)
            return
        }
        if let propagation = MountOptions.Propagation(option: linux.rootfsPropagation) {
            container.root.propagation = propagation.plan
            if case .shared = container.root.source { shares[0].followsHost = propagation.kind == .slave }
        }
        container.namespaces = NamespacePlan.planning(linux.namespaces, place)
        container.devices = linux.devices.map(DevicePlan.init)
        container.maskedPaths = linux.maskedPaths
        container.readOnlyPaths = linux.readonlyPaths
        container.kernelParameters = linux.sysctl.sorted { $0.key < $1.key }
            .map {
                KernelParameter(
                    name: Spec.Linux.sysctlComponents($0.key).joined(separator: "/"), value: $0.value)
            }
        if let resources = linux.resources { container.resources = try ResourcePlan(resources) }
    }
}

/// Whose namespaces a container of a pod shares.
public enum PodPlace: Hashable, Sendable {
    case alone
    /// The others of its machine share with it.
    case sandbox
    /// It shares with the container of this id, in whose machine it runs.
    case member(sandbox: String)
    /// It runs in the machine made for the container `sandbox`, and shares these namespaces with the containers of these
    /// ids, and no others.
    case joined(sandbox: String, [NamespaceKind: String])
}

extension NamespacePlan {
    /// A container always has its own of the kinds that keep it from the agent, whatever the document leaves
    /// to the host: there is no host in there.
    ///
    /// The network is the guest's: the machine is a container's own, or its pod's, and so is all that is plugged into it.
    /// A namespace more would hold nothing else, and costs a start as much as booting its loopback did.
    ///
    /// The containers of a pod have the sandbox's ipc together. Its uts a member shares unless the document asks for a
    /// new one, and its pid only where the document names one by its path.
    static func planning(_ namespaces: [Spec.Linux.Namespace], _ place: PodPlace) -> [NamespacePlan] {
        let own: [NamespaceKind] = [.mount, .pid, .ipc, .uts, .cgroup]
        if case .joined(let sandbox, let owners) = place {
            // The guest's network is that of whom it was made for.
            let kinds = owners[.network] == sandbox ? own : own + [.network]
            return kinds.map { NamespacePlan(kind: $0, joins: owners[$0]) }
        }
        guard case .member(let sandbox) = place else { return own.map { NamespacePlan(kind: $0) } }
        func path(_ type: Spec.Linux.NamespaceType) -> String? { namespaces.first { $0.type == type }?.path }
        var joined: Set<NamespaceKind> = [.ipc]
        if path(.uts) != "" { joined.insert(.uts) }
        if let path = path(.pid), !path.isEmpty { joined.insert(.pid) }
        return own.map { NamespacePlan(kind: $0, joins: joined.contains($0) ? sandbox : nil) }
    }
}

extension MountPlan {
    /// Whether the document shows the container memory that it may share with others: a directory that the client made
    /// on the host for it, `…/shm`. It is the guest's to make: what one process writes is then there for another.
    func isSharedMemory(of mount: Spec.Mount) -> Bool {
        guard case .shared(_, isFile: false, _) = source else { return false }
        return destination == "/dev/shm" && mount.source != "/dev/shm"
            && mount.source.utf8.suffix(4).elementsEqual("/shm".utf8)
    }

    /// The guest's in its place: the pod's, that of the container whose ipc namespace is shared, or one as large as the
    /// client's. nil where that is no memory at all.
    func sharedMemory(_ place: PodPlace, size: () -> UInt64?) -> MountPlan? {
        var plan = self
        switch place {
        case .sandbox, .member:
            plan.source = .guest(path: "/dev/shm", recursive: false)
            return plan
        case .joined(_, let owners):
            if let owner = owners[.ipc] {
                plan.source = .guest(path: "/dev/shm", recursive: false, container: owner)
                return plan
            }
        case .alone: break
        }
        guard let size = size() else { return nil }
        plan.source = .fileSystem(
            type: "tmpfs", source: "shm", options: ["mode=1777", "size=\(size)"], copiesUp: false)
        return plan
    }
}

extension DevicePlan {
    init(_ device: Spec.Linux.Device) {
        let kind: Kind =
            switch device.type {
            case .block: .block
            case .character, .unbuffered: .character
            case .fifo: .fifo
            }
        self.init(
            path: device.path, kind: kind, major: UInt32(clamping: device.major), minor: UInt32(clamping: device.minor),
            mode: device.fileMode.map { $0 & 0o7777 } ?? 0o666, uid: device.uid ?? 0, gid: device.gid ?? 0)
    }
}
