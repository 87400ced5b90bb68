import Linux
import SandboxPlan

/// What a process that exec starts does between fork and exec: it joins a container instead of making one.
struct ExecProcess {
    let name: String
    let plan: ProcessPlan
    let defaultLimits: [ResourceLimit]
    let standing: ProcessStanding

    func run() -> Never {
        standing.finish { () throws(LaunchFailure) in try make() }
    }

    private func make() throws(LaunchFailure) -> Never {
        let settings = ProcessSettings(plan: plan, defaultLimits: defaultLimits)
        try ProcessSettings.leaveAgent(keeping: standing.descriptors)
        try settings.applyLimits()
        try standing.enterNamespaces()
        try ProcessSettings.startSession(named: name)
        if plan.hasTerminal {
            let root = try step(.terminal, "open the root") { () throws(Errno) in
                RootDirectory(descriptor: try FileDescriptor.open("/", [.path, .directory]))
            }
            let terminal = try ContainerTerminal(in: root, size: plan.terminalSize)
            try terminal.take()
            try standing.report(.ready, with: terminal.master.rawValue)
        } else {
            try standing.takeStreams()
            try standing.report(.ready)
        }
        let filterIsLate = try settings.becomeUser()
        let program = try Executable(plan)
        if filterIsLate { try settings.installFilter() }
        try program.run()
    }
}
