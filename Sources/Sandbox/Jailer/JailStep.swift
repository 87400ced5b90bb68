import CLinux
import Capabilities
import Glibc
import Linux

/// What stands between a forked process and its program, in this order: each step needs what the ones before
/// it left, and takes away what the ones after it no longer need.
enum JailStep: CaseIterable {
    /// Signals and the file mode mask as a program expects them, whoever started fc-runc.
    case defaults
    /// The root directory: mounts, then the pivot. Needs the host's capabilities.
    case root
    /// The descriptors under their numbers there; all others go.
    case descriptors
    /// Resource limits, which are never raised.
    case limits
    /// The bounding set, while CAP_SETPCAP is there.
    case boundingSet
    /// Groups and user, while CAP_SETGID and CAP_SETUID are there.
    case identity
    /// All sets hold what the plan keeps, and nothing else.
    case capabilities
    /// After the user's change, which takes it back.
    case parentDeath
    /// Exec grants nothing any more.
    case noNewPrivileges
}

/// A process on its way to becoming its program.
struct JailedStart {
    let process: OpenedProcess
    /// /dev/null, for those of the three standard descriptors that are not handed down.
    var null: Int32
    var executable: Int32
    /// Where a step's error goes.
    var status: Int32
    /// Closed by exec, and written to by a failure before.
    var progress: Int32

    /// Takes every step in its order, and then becomes the program. Returns only to throw.
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
            try handDescriptors()
        case .limits:
            for limit in plan.resourceLimits {
                try attempt({ .limit(resource: limit.resource, $0) }) { () throws(Errno) in
                    try Process.lowerLimit(limit.resource, soft: limit.soft, hard: limit.hard)
                }
            }
        case .boundingSet:
            try attempt(JailError.dropCapabilities) { () throws(Errno) in
                try CapabilitySets(keeping: plan.capabilities).applyBounding()
            }
        case .identity:
            try attempt(JailError.setGroups) { () throws(Errno) in try Process.setSupplementaryGroups([]) }
            if let gid = plan.gid {
                try attempt({ .setGroup(gid, $0) }) { () throws(Errno) in try Process.setGroup(gid) }
            }
            if let uid = plan.uid {
                try attempt({ .setUser(uid, $0) }) { () throws(Errno) in
                    try Process.setUser(uid, keepsCapabilities: !plan.capabilities.isEmpty)
                }
            }
        case .capabilities:
            try attempt(JailError.dropCapabilities) { () throws(Errno) in
                try CapabilitySets(keeping: plan.capabilities).apply()
            }
        case .parentDeath:
            try attempt(JailError.setParentDeathSignal) { () throws(Errno) in
                try Process.setParentDeathSignal(SIGKILL)
            }
        case .noNewPrivileges:
            try attempt(JailError.setNoNewPrivileges) { () throws(Errno) in try Process.setNoNewPrivileges() }
        }
    }

    /// Moves what is handed down out of the way first, so that no number is overwritten before it was read.
    mutating func handDescriptors() throws(JailError) {
        let highest = JailParser.highestHandedDescriptor
        func move(_ number: Int32, as there: Int32) throws(JailError) -> Int32 {
            try attempt({ .handDescriptor(here: number, there: there, $0) }) { () throws(Errno) in
                try FileDescriptor.duplicate(of: number, minimum: highest + 1).release()
            }
        }
        null = try move(null, as: -1)
        executable = try move(executable, as: -1)
        status = try move(status, as: -1)
        progress = try move(progress, as: -1)
        var handed: [Int32: Int32] = [0: null, 1: null, 2: null]
        for descriptor in process.plan.descriptors {
            handed[descriptor.there] = try move(descriptor.here, as: descriptor.there)
        }
        for (there, moved) in handed {
            try attempt({ .handDescriptor(here: moved, there: there, $0) }) { () throws(Errno) in
                try FileDescriptor.assign(there, from: moved)
            }
        }
        try attempt(JailError.closeDescriptors) { () throws(Errno) in
            try Descriptors.closeAll(except: Set(handed.keys), through: UInt32(highest))
            try Process.closeDescriptorsOnExec(from: UInt32(highest) + 1)
        }
    }
}

extension CapabilitySets {
    /// `kept` in every set and nothing besides, so that a program of any user has just these after exec.
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
