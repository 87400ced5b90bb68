// SPDX-License-Identifier: Apache-2.0
import Linux
public import OCISpec
public import SandboxPlan
import Seccomp

extension ProcessPlan {
    /// A process of the document, or one that `exec` adds; the container's seccomp policy holds for both.
    public init(_ document: Spec.Process, seccomp: Spec.Linux.Seccomp?) throws(PlanningError) {
        self.init(arguments: document.args, environment: document.env, workingDirectory: document.cwd)
        user.uid = document.user.uid
        user.gid = document.user.gid
        user.umask = document.user.umask
        user.additionalGroups = document.user.additionalGids
        hasTerminal = document.terminal
        if document.terminal, let size = document.consoleSize {
            terminalSize = TerminalSize(rows: UInt16(clamping: size.height), columns: UInt16(clamping: size.width))
        }
        resourceLimits = document.rlimits.map {
            ResourceLimit(resource: $0.type.number, soft: $0.soft, hard: $0.hard)
        }
        if let sets = document.capabilities { capabilities = CapabilityPlan(sets) }
        noNewPrivileges = document.noNewPrivileges
        oomScoreAdjustment = document.oomScoreAdj.map { Int32(clamping: $0) }
        if let seccomp { self.seccomp = try SeccompPlan(seccomp) }
    }
}

extension CapabilityPlan {
    /// Names the kernel headers do not know are left out, as runc does.
    init(_ sets: Spec.Process.Capabilities) {
        func mask(_ names: [String]) -> UInt64 {
            names.reduce(0) { mask, name in Capability(name: name).map { mask | 1 << UInt64($0.rawValue) } ?? mask }
        }
        self.init()
        bounding = mask(sets.bounding)
        effective = mask(sets.effective)
        permitted = mask(sets.permitted)
        inheritable = mask(sets.inheritable)
        ambient = mask(sets.ambient)
    }
}

extension Spec.Process.RlimitType {
    /// The kernel's number, <asm-generic/resource.h>.
    var number: UInt32 {
        switch self {
        case .cpu: 0
        case .fileSize: 1
        case .data: 2
        case .stack: 3
        case .core: 4
        case .residentSet: 5
        case .processes: 6
        case .noFile: 7
        case .lockedMemory: 8
        case .addressSpace: 9
        case .locks: 10
        case .pendingSignals: 11
        case .messageQueue: 12
        case .nice: 13
        case .realtimePriority: 14
        case .realtimeTime: 15
        }
    }
}
