// SPDX-License-Identifier: Apache-2.0
import SandboxPlan

/// What Stats answers: a container's use of the guest.
enum CgroupStatistics {
    /// The files, as far as their controllers are there.
    static let files = [
        "cpu.stat", "cpu.max", "cpu.weight", "cpu.pressure", "memory.current", "memory.peak", "memory.max",
        "memory.stat", "memory.events", "memory.swap.current", "memory.swap.max", "memory.pressure", "pids.current",
        "pids.max", "pids.events", "io.stat", "io.pressure", "cgroup.stat",
    ]

    static func read(_ cgroup: GuestCgroup) -> [KernelParameter] {
        files.compactMap { name in cgroup.read(name).map { KernelParameter(name: name, value: $0) } }
    }
}
