// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import SandboxPlan

/// What a process is given before it becomes the program: for a container's first and for those exec starts.
struct ProcessSettings {
    let plan: ProcessPlan
    /// Limits the plan may overrule.
    let defaultLimits: [ResourceLimit]

    /// First of all: of the agent's descriptors only `kept` stay open, no signal is blocked, and no
    /// other process can read this one's memory.
    static func leaveAgent(keeping kept: [BorrowedDescriptor]) throws(LaunchFailure) {
        try step(.prepare, "leave the agent") { () throws(Errno) in
            try Process.hideMemory()
            Process.resetSignals()
            Process.setFileModeMask(0o022)
            try Process.closeDescriptors(from: 3, except: kept)
        }
    }

    /// Limits and the like, while /proc is still the guest's.
    func applyLimits() throws(LaunchFailure) {
        for limit in defaultLimits + plan.resourceLimits {
            try step(
                .resourceLimit, "error setting rlimit type \(limit.resource)",
                try Process.setLimit(limit.resource, soft: limit.soft, hard: limit.hard))
        }
        try step(
            .resourceLimit, "set oom_score_adj",
            try FileDescriptor.open("/proc/self/oom_score_adj", .writeOnly)
                .writeAll(Array(String(plan.oomScoreAdjustment ?? 0).utf8)))
    }

    /// A session, and a keyring, of its own.
    static func startSession(named name: String) throws(LaunchFailure) {
        try step(.prepare, "start a session") { () throws(Errno) in
            try Process.startSession()
            try Process.joinKeyring(named: "_ses.\(name)")
        }
    }

    /// Becomes the user, in the directory, with the capabilities; all in the container. The order is runc's.
    ///
    /// - Returns: the seccomp filter is still to be installed.
    func becomeUser() throws(LaunchFailure) -> Bool {
        if plan.noNewPrivileges {
            try step(.user, "set no_new_privs", try Process.setNoNewPrivileges())
        }
        let sets = CapabilitySets(plan.capabilities)
        // Without no_new_privs only CAP_SYS_ADMIN may install a filter, so it must be now where it goes.
        let isLate = plan.noNewPrivileges || sets.effective >> UInt64(CAP_SYS_ADMIN) & 1 == 1
        if !isLate { try installFilter() }
        let isThere = try enterDirectory(mayFail: true)
        try step(.capabilities, "drop capabilities from the bounding set", try sets.applyBounding())
        giveStreams()
        try step(.user, "set the user") { () throws(Errno) in
            try Process.setSupplementaryGroups(plan.user.additionalGroups)
            try Process.setGroup(plan.user.gid)
            try Process.setUser(plan.user.uid, keepsCapabilities: true)
        }
        if !isThere { _ = try enterDirectory(mayFail: false) }
        try step(.workingDirectory, "cwd") { () throws(Errno) in
            // A directory outside the root, reached by a descriptor, has no path in it (CVE-2024-21626).
            guard try Process.currentDirectory().begins(with: "/") else { throw .noSuchFile }
        }
        try step(.capabilities, "set capabilities", try sets.apply())
        Process.setFileModeMask(plan.user.umask ?? 0o022)
        return isLate
    }

    func installFilter() throws(LaunchFailure) {
        guard let seccomp = plan.seccomp else { return }
        try step(
            .seccomp, "install the seccomp filter", try Process.installFilter(seccomp.program, flags: seccomp.flags))
    }

    /// False where the directory is not for this user, who may be another in a moment.
    private func enterDirectory(mayFail: Bool) throws(LaunchFailure) -> Bool {
        do {
            try Process.changeDirectory(to: plan.workingDirectory)
            return true
        } catch  where mayFail && error == .permissionDenied {
            return false
        } catch {
            throw LaunchFailure(
                .workingDirectory, error, "chdir to cwd (\"\(plan.workingDirectory)\") set in config.json failed")
        }
    }

    /// The streams become the user's, so that /dev/stdout can be opened again.
    private func giveStreams() {
        let null = FileNode.deviceNumber(major: 1, minor: 3)
        for stream in [BorrowedDescriptor.standardInput, .standardOutput, .standardError] {
            guard let status = try? FileNode.status(of: stream), status.uid != plan.user.uid else { continue }
            if status.isCharacterDevice, status.deviceNumber == null { continue }
            // As runc: where it cannot be, it is not.
            try? FileNode.setOwner(uid: plan.user.uid, gid: .max, of: stream)
        }
    }
}

extension CapabilitySets {
    init(_ plan: CapabilityPlan) {
        self.init(
            bounding: plan.bounding, effective: plan.effective, permitted: plan.permitted,
            inheritable: plan.inheritable, ambient: plan.ambient)
    }
}
