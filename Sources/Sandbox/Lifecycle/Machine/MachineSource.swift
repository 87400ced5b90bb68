// SPDX-License-Identifier: Apache-2.0
import Cgroup
import Engine
import Linux
import Planning
import SandboxPlan

/// Where an empty machine comes from. What follows is the same for each: a sandbox has claimed it, its guest is shown
/// what a container is to see, and the container joins it.
enum MachineSource {
    /// A new one, whose guest boots.
    case boot(SelectedEngine)

    var engine: SelectedEngine {
        switch self {
        case .boot(let engine): engine
        }
    }

    /// Makes a machine in its jail, with nothing of any container in it. Its guest need not be there yet:
    /// ``Machine/agent(configuration:)`` waits for it.
    ///
    /// - Throws: `sandboxFailed` where the jail ends at once, `launch`, `engine`, `disk` for what it cannot be made of.
    ///   Nothing is left then except files in its directory.
    func make(_ order: MachineOrder) throws(RuntimeError) -> Machine {
        switch self {
        case .boot(let selected): try MachineBoot(order: order, engine: selected.engine).start()
        }
    }
}

/// What a machine is made for and of.
struct MachineOrder {
    /// The container that it is made for.
    let id: String
    let plan: MachinePlan
    /// The container's plan: its disks are the machine's.
    let bundle: BundlePlan
    /// Where its own files are to lie.
    let files: MachineFiles
    /// Open lists of processes of the cgroups that its programs are to be in; the caller's, before and after.
    let cgroups: [BorrowedDescriptor]
    /// The network namespace that its programs are to be in; the caller's, before and after.
    let network: BorrowedDescriptor
    let parts: Parts
    let bootTimeoutSeconds: Int64
}
