import Linux
import SandboxPlan

/// What a container's first process does between fork and exec; errors go to the agent by name.
struct FirstProcess {
    let plan: ContainerPlan
    let ground: AgentGround
    let standing: ProcessStanding

    func run() -> Never {
        standing.finish { () throws(LaunchFailure) in try make() }
    }

    private func make() throws(LaunchFailure) -> Never {
        let settings = ProcessSettings(plan: plan.process, defaultLimits: self.ground.defaultLimits)
        try ProcessSettings.leaveAgent(keeping: standing.descriptors)
        try standing.enterNamespaces()
        let ground = try Ground(opening: self.ground, container: plan.id)
        let disk = try mountDisk()
        if case .disk = plan.root.source { try ground.enterCgroup() }
        try startNamespaces()
        try settings.applyLimits()
        try ProcessSettings.startSession(named: plan.id)
        try setKernelParameters(ground)
        let terminal = try makeRoot(ground, disk)
        if let terminal { try terminal.take() } else { try standing.takeStreams() }
        let master = terminal?.master.rawValue
        let filterIsLate = try settings.becomeUser()
        let program = try Executable(plan.process)
        try standing.report(.ready, with: master)
        try standing.waitForStart()
        if filterIsLate { try settings.installFilter() }
        try program.run()
    }

    private func mountDisk() throws(LaunchFailure) -> FileDescriptor? {
        guard case .disk(let disk) = plan.root.source else { return nil }
        return try RootDisk.mount(disk, ground: ground)
    }

    /// What new namespaces begin with.
    private func startNamespaces() throws(LaunchFailure) {
        let isNew = { (kind: NamespaceKind) in plan.namespaces.contains { $0.kind == kind && $0.joins == nil } }
        if isNew(.cgroup) {
            // Only now is this process in the cgroup that is to be the namespace's root.
            try step(.namespaces, "make a cgroup namespace") { () throws(Errno) in try Process.unshare(.cgroup) }
        }
        if isNew(.network) {
            try step(.namespaces, "bring lo up") { () throws(Errno) in try Machine.raiseLoopback() }
        }
        if plan.hostname != nil || plan.domainName != nil, !isNew(.uts) {
            throw LaunchFailure(.hostname, "unable to set hostname without a private UTS namespace")
        }
        if let hostname = plan.hostname {
            try step(.hostname, "sethostname") { () throws(Errno) in try Machine.setHostname(hostname) }
        }
        if let domainName = plan.domainName {
            try step(.hostname, "setdomainname") { () throws(Errno) in try Machine.setDomainName(domainName) }
        }
    }

    private func setKernelParameters(_ ground: Ground) throws(LaunchFailure) {
        for parameter in plan.kernelParameters {
            try step(.kernelParameter, "write sysctl \(parameter.name)") { () throws(Errno) in
                try FileDescriptor.open(
                    parameter.name, at: ground.kernelParameters, .writeOnly, resolve: [.beneath, .noSymlinks]
                ).writeAll(Array(parameter.value.utf8))
            }
        }
    }

    /// Makes the root and enters it.
    private func makeRoot(
        _ ground: Ground, _ disk: consuming FileDescriptor?
    ) throws(LaunchFailure) -> ContainerTerminal? {
        let root = try ContainerMounts.attachRoot(plan.root, disk, ground: ground)
        var mounts = ContainerMounts(plan, ground: ground)
        try mounts.makeAll(in: root)
        if ContainerDevices.areNeeded(by: plan) { try ContainerDevices.make(plan, in: root) }
        var terminal: ContainerTerminal?
        if plan.process.hasTerminal {
            let made = try ContainerTerminal(in: root, size: plan.process.terminalSize)
            try made.bindConsole(in: root)
            terminal = made
        }
        try step(.workingDirectory, "mkdir \(plan.process.workingDirectory)") { () throws(Errno) in
            _ = try root.open(plan.process.workingDirectory, creating: .directories)
        }
        try HiddenPaths.makeReadOnly(plan.readOnlyPaths, in: root)
        try HiddenPaths.mask(plan.maskedPaths, in: root)
        try mounts.finish()
        try step(.pivot, "pivot_root") { () throws(Errno) in try Mount.pivot(to: root.descriptor.rawValue) }
        try step(.rootFileSystem, "set the root's attributes") { () throws(Errno) in
            if plan.root.isReadOnly { try Mount.setAttributes(at: root.descriptor.rawValue, set: .readOnly) }
            if let propagation = plan.root.propagation {
                try Mount.setAttributes(
                    at: root.descriptor.rawValue, propagation: Mount.Propagation(propagation), recursive: true)
            }
        }
        return terminal
    }
}
