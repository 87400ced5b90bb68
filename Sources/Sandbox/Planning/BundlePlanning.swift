public import OCISpec
import SandboxPlan

extension BundlePlan {
    /// What a path on the host is; the planner itself touches no file.
    public enum FileKind: Sendable {
        case directory
        case other
    }

    /// Makes the plan of a validated document that holds nothing unhonoured.
    ///
    /// - Parameters:
    ///   - rootPath: the root file system, absolute, every symlink resolved.
    ///   - bundlePath: what relative mount sources are relative to.
    ///   - shareName: the container's directory in the shared tree, unique in the sandbox.
    ///   - rootDisk: where the root file system is, instead of at `rootPath`.
    ///   - kind: what stands at a path of the host; throws the reason, for a person, if nothing usable does.
    public init(
        spec: Spec, id: String, rootPath: String, bundlePath: String, shareName: String,
        rootDisk: DiskMount? = nil, kind: (String) throws -> FileKind
    ) throws(PlanningError) {
        guard let document = spec.process else { throw .field(path: "process", problem: "is required") }
        let isReadOnly = spec.root?.readonly ?? false
        let root: RootPlan
        if let rootDisk {
            shares = []
            root = RootPlan(.disk(rootDisk), isReadOnly: isReadOnly || rootDisk.isReadOnly)
        } else {
            let share = Share(
                source: rootPath, sharedPath: "\(shareName)/rootfs", isFile: false, isRecursive: true,
                isReadOnly: isReadOnly, isRecursivelyReadOnly: false)
            shares = [share]
            root = RootPlan(.shared(path: share.sharedPath), isReadOnly: isReadOnly)
        }
        container = ContainerPlan(
            id: id, process: try ProcessPlan(document, seccomp: spec.linux?.seccomp), root: root)
        container.hostname = spec.hostname.isEmpty ? nil : spec.hostname
        container.domainName = spec.domainname.isEmpty ? nil : spec.domainname
        for (index, mount) in spec.mounts.enumerated() {
            let (plan, share) = try MountPlan.planning(
                mount, index: index, bundlePath: bundlePath, sharedPath: "\(shareName)/mounts/\(index)", kind: kind)
            container.mounts.append(plan)
            if let share { shares.append(share) }
        }
        limits = HostLimits(spec.linux?.resources)
        guard let linux = spec.linux else {
            container.namespaces = NamespacePlan.planning([])
            return
        }
        if !linux.rootfsPropagation.isEmpty {
            container.root.propagation = MountOptions.Propagation(option: linux.rootfsPropagation)?.plan
        }
        container.namespaces = NamespacePlan.planning(linux.namespaces)
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

extension NamespacePlan {
    /// A container always has its own of the kinds that keep it from the agent, whatever the document leaves
    /// to the host: there is no host in there. Only the network is shared where it is not asked for.
    static func planning(_ namespaces: [Spec.Linux.Namespace]) -> [NamespacePlan] {
        let own: [NamespaceKind] = [.mount, .pid, .ipc, .uts, .cgroup]
        let network = namespaces.contains { $0.type == .network }
        return (own + (network ? [.network] : [])).map { NamespacePlan(kind: $0) }
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
