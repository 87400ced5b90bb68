// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// The steps between a forked process and its program, in order: each needs what those before it have left, and takes
/// away what those after it do not need.
enum JailStep: CaseIterable {
    /// Signals and the file mode mask as a program expects them, whatever fc-runc's caller had.
    case defaults
    /// The root directory: mounts, then the pivot. Needs the host's capabilities.
    case root
    /// The inherited descriptors under their target numbers; all others are closed.
    case descriptors
    /// Resource limits; one that the kernel does not let this process raise stays at its hard limit.
    case limits
    /// The bounding set, while the process has CAP_SETPCAP.
    case boundingSet
    /// Groups and user, while the process has CAP_SETGID and CAP_SETUID.
    case identity
    /// All sets are those that the plan keeps.
    case capabilities
    /// The signal that the parent's death sends. After the user has changed, which resets it.
    case parentDeath
    /// From here on exec grants no rights.
    case noNewPrivileges
}

/// A process on its way to becoming its program.
struct JailedStart {
    let process: PreparedProgram
    /// /dev/null, for standard descriptors that are not inherited.
    var null: BorrowedDescriptor
    var executable: BorrowedDescriptor
    /// The status descriptor, for a step's error.
    var status: BorrowedDescriptor
    /// Closed by exec, and written to by a failure before.
    var progress: BorrowedDescriptor

    /// Takes every step in order and then becomes the program. Returns only by throwing.
    mutating func run() throws(JailError) -> Never {
        for step in JailStep.allCases { try take(step) }
        let plan = process.plan
        do {
            try Process.execute(
                executable, arguments: [plan.executable] + plan.arguments, environment: plan.environment)
        } catch {
            throw .execute(path: plan.executable, error)
        }
    }

    mutating func take(_ step: JailStep) throws(JailError) {
        let plan = process.plan
        switch step {
        case .defaults:
            Process.resetSignals()
            Process.setFileModeMask(0o022)
        case .root:
            var root = try JailRoot()
            for mount in process.mounts { try root.add(mount, uid: plan.uid ?? 0, gid: plan.gid ?? 0) }
            try root.enter()
        case .descriptors:
            try inheritDescriptors()
        case .limits:
            for limit in plan.resourceLimits {
                try attempt({ .limit(resource: limit.resource, $0) }) { () throws(Errno) in
                    do throws(Errno) {
                        try Process.setLimit(limit.resource, soft: limit.soft, hard: limit.hard)
                    } catch  where error == .notPermitted {
                        try Process.lowerLimit(limit.resource, soft: limit.soft, hard: limit.hard)
                    }
                }
            }
        case .boundingSet:
            try attempt(JailError.dropCapabilities, try CapabilitySets(keeping: plan.capabilities).applyBounding())
        case .identity:
            try attempt(JailError.setGroups, try Process.setSupplementaryGroups([]))
            if let gid = plan.gid {
                try attempt({ .setGroup(gid, $0) }, try Process.setGroup(gid))
            }
            if let uid = plan.uid {
                try attempt(
                    { .setUser(uid, $0) }, try Process.setUser(uid, keepsCapabilities: !plan.capabilities.isEmpty))
            }
        case .capabilities:
            try attempt(JailError.dropCapabilities, try CapabilitySets(keeping: plan.capabilities).apply())
        case .parentDeath:
            try attempt(JailError.setParentDeathSignal, try Process.setParentDeathSignal(SIGKILL))
        case .noNewPrivileges:
            try attempt(JailError.setNoNewPrivileges, try Process.setNoNewPrivileges())
        }
    }

    /// Duplicates all descriptors above the highest target first, so that none is overwritten before it is duplicated.
    mutating func inheritDescriptors() throws(JailError) {
        let highest = JailParser.highestInheritedDescriptor
        func move(_ source: BorrowedDescriptor, for target: Int32) throws(JailError) -> BorrowedDescriptor {
            try attempt(
                { .inheritDescriptor(source: source.rawValue, target: target, $0) },
                try source.duplicate(minimum: highest + 1).release())
        }
        null = try move(null, for: -1)
        executable = try move(executable, for: -1)
        status = try move(status, for: -1)
        progress = try move(progress, for: -1)
        var moved: [Int32: BorrowedDescriptor] = [0: null, 1: null, 2: null]
        for descriptor in process.plan.descriptors {
            let source = BorrowedDescriptor(rawValue: descriptor.source)
            moved[descriptor.target] = try move(source, for: descriptor.target)
        }
        for (target, source) in moved {
            try attempt(
                { .inheritDescriptor(source: source.rawValue, target: target, $0) },
                try FileDescriptor.assign(target, from: source))
        }
        try attempt(JailError.closeDescriptors) { () throws(Errno) in
            try Descriptors.closeAll(except: Set(moved.keys), through: UInt32(highest))
            try Process.closeDescriptorsOnExec(from: UInt32(highest) + 1)
        }
    }
}

extension CapabilitySets {
    /// The capabilities `kept` in every set, and no others, so that a program of any user has exactly these after exec.
    init(keeping kept: [Int32]) {
        let mask = kept.reduce(UInt64(0)) { $0 | 1 << UInt64($1) }
        self.init(bounding: mask, effective: mask, permitted: mask, inheritable: mask, ambient: mask)
    }
}

/// The table of this process's descriptors.
enum Descriptors {
    /// Closes every descriptor up to `last` that is not in `kept`.
    static func closeAll(except kept: Set<Int32>, through last: UInt32 = .max) throws(Errno) {
        var first: UInt32 = 0
        for number in kept.sorted() {
            let number = UInt32(number)
            if number > first { try Process.closeDescriptors(from: first, through: number - 1) }
            first = number + 1
        }
        try Process.closeDescriptors(from: first, through: last)
    }
}
