// SPDX-License-Identifier: Apache-2.0
import Linux
import SandboxPlan

/// What a container's first process does between fork and exec; errors go to the agent by name.
struct FirstProcess {
    let plan: ContainerPlan
    let agent: AgentSettings
    let context: LaunchContext

    func run() -> Never {
        context.finish { () throws(LaunchFailure) in try make() }
    }

    private func make() throws(LaunchFailure) -> Never {
        let settings = ProcessSettings(plan: plan.process, defaultLimits: agent.defaultLimits)
        try ProcessSettings.leaveAgent(keeping: context.descriptors)
        try context.enterNamespaces()
        let directories = try LaunchDirectories(of: agent, container: plan.id)
        let disk = try mountDisk()
        if case .disk = plan.root.source { try directories.enterCgroup() }
        try startNamespaces()
        try settings.applyLimits()
        try ProcessSettings.startSession(named: plan.id)
        try setKernelParameters(directories)
        let terminal = try makeRoot(directories, disk)
        if let terminal { try terminal.take() } else { try context.takeStreams() }
        let master = terminal?.master.borrowed
        let filterIsLate = try settings.becomeUser()
        let program = try Executable(plan.process)
        try context.report(.ready, with: master)
        try context.waitForStart()
        if filterIsLate { try settings.installFilter() }
        try program.run()
    }

    private func mountDisk() throws(LaunchFailure) -> FileDescriptor? {
        guard case .disk(let disk) = plan.root.source else { return nil }
        return try DiskRoot.mount(disk, settings: agent)
    }

    /// What new namespaces begin with.
    private func startNamespaces() throws(LaunchFailure) {
        let isNew = { (kind: NamespaceKind) in plan.namespaces.contains { $0.kind == kind && $0.joins == nil } }
        if isNew(.cgroup) {
            // Only now is this process in the cgroup that is to be the namespace's root.
            try step(.namespaces, "make a cgroup namespace", try Process.unshare(.cgroup))
        }
        if isNew(.network) {
            try step(.namespaces, "bring lo up", try Kernel.raiseLoopback())
        }
        if plan.hostname != nil || plan.domainName != nil, !isNew(.uts) {
            throw LaunchFailure(.hostname, "unable to set hostname without a private UTS namespace")
        }
        if let hostname = plan.hostname {
            try step(.hostname, "sethostname", try Kernel.setHostname(hostname))
        }
        if let domainName = plan.domainName {
            try step(.hostname, "setdomainname", try Kernel.setDomainName(domainName))
        }
    }

    private func setKernelParameters(_ directories: LaunchDirectories) throws(LaunchFailure) {
        for parameter in plan.kernelParameters {
            try step(
                .kernelParameter, "write sysctl \(parameter.name)",
                try FileDescriptor.open(
                    parameter.name, at: directories.kernelParameters, .writeOnly, resolve: [.beneath, .noSymlinks]
                ).writeAll(Array(parameter.value.utf8)))
        }
    }

    /// Makes the root and enters it.
    private func makeRoot(
        _ directories: LaunchDirectories, _ disk: consuming FileDescriptor?
    ) throws(LaunchFailure) -> ContainerTerminal? {
        let root = try ContainerMounts.attachRoot(plan.root, disk, directories)
        var mounts = ContainerMounts(plan, directories, others: context.others)
        try mounts.makeAll(in: root)
        if ContainerDevices.areNeeded(by: plan) { try ContainerDevices.make(plan, in: root) }
        var terminal: ContainerTerminal?
        if plan.process.hasTerminal {
            let made = try ContainerTerminal(in: root, plan.process)
            try made.bindConsole(in: root)
            terminal = made
        }
        try step(.workingDirectory, "mkdir \(plan.process.workingDirectory)") { () throws(Errno) in
            _ = try root.open(plan.process.workingDirectory, creating: .directories)
        }
        try HiddenPaths.makeReadOnly(plan.readOnlyPaths, in: root)
        try HiddenPaths.mask(plan.maskedPaths, in: root)
        try mounts.finish()
        try step(.pivot, "pivot_root", try Mount.pivot(to: root.descriptor.borrowed))
        try step(.rootFileSystem, "set the root's attributes") { () throws(Errno) in
            if plan.root.isReadOnly { try Mount.setAttributes(at: root.descriptor.borrowed, set: .readOnly) }
            if let propagation = plan.root.propagation {
                try Mount.setAttributes(
                    at: root.descriptor.borrowed, propagation: Mount.Propagation(propagation), recursive: true)
            }
        }
        return terminal
    }
}
