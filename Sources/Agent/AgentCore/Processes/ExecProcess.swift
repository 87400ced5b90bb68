// SPDX-License-Identifier: Apache-2.0
import Linux
import SandboxPlan

/// What a process that exec starts does between fork and exec: it joins a container instead of making one.
struct ExecProcess {
    let name: String
    let plan: ProcessPlan
    let defaultLimits: [ResourceLimit]
    let context: LaunchContext

    func run() -> Never {
        context.finish { () throws(LaunchFailure) in try make() }
    }

    private func make() throws(LaunchFailure) -> Never {
        let settings = ProcessSettings(plan: plan, defaultLimits: defaultLimits)
        try ProcessSettings.leaveAgent(keeping: context.descriptors)
        try settings.applyLimits()
        try context.enterNamespaces()
        try ProcessSettings.startSession(named: name)
        if plan.hasTerminal {
            let root = try step(
                .terminal, "open the root",
                RootDirectory(descriptor: try FileDescriptor.open("/", [.path, .directory])))
            let terminal = try ContainerTerminal(in: root, plan)
            try terminal.take()
            try context.report(.ready, with: terminal.master.borrowed)
        } else {
            try context.takeStreams()
            try context.report(.ready)
        }
        let filterIsLate = try settings.becomeUser()
        let program = try Executable(plan)
        if filterIsLate { try settings.installFilter() }
        try program.run()
    }
}
