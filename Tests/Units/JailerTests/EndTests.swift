// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import SandboxPlan
import Testing

@testable import Jailer

/// How a jail ends, and how one that cannot begin says so.
@Suite(.enabled(if: Jail.obstacle == nil, Jail.obstacle), .serialized)
struct EndTests {
    /// A jail of two processes that run, and the pids in it: the supervisor's, the first's, the second's.
    func running() throws -> (jail: Jail, pids: [Int32]) {
        let jail = try Jail()
        // One with children of its own, which as background jobs want /dev/null.
        var first = jail.shell("busybox sleep 100 & busybox sleep 100 & wait", name: "first")
        first.mounts.append(JailMount(source: .devices([]), destination: "/dev", isReadOnly: true))
        jail.plan.processes = [first, jail.shell("exec busybox sleep 100", name: "second")]
        #expect(try jail.start() == .exited(code: 0))
        // The processes start side by side, so that either may be told first.
        var pids: [Int32] = [0, 0, 0]
        for status in try jail.statuses(until: { $0 == .started }) {
            switch status {
            case .supervisor(let pid): pids[0] = pid
            case .process("first", let pid): pids[1] = pid
            case .process("second", let pid): pids[2] = pid
            default: break
            }
        }
        try #require(!pids.contains(0))
        return (jail, pids)
    }

    @Test("Closing the lifeline ends every process of the jail")
    func theLifelineEndsEverything() throws {
        let (jail, pids) = try running()
        let first = try Process.descriptor(of: pids[1])
        let second = try Process.descriptor(of: pids[2])
        jail.release()
        #expect(Jail.endsSoon(first.borrowed))
        #expect(Jail.endsSoon(second.borrowed))
        #expect(try jail.statuses { _ in false } == [.released])
    }

    /// Whatever a program writes, the file that keeps it is bounded, and its last words are there.
    @Test("The log of a jail is bounded and keeps the last words", arguments: [false, true])
    func whatProgramsSayIsBounded(isEndedByItself: Bool) throws {
        let jail = try Jail()
        let pipe = try FileDescriptor.pipe()
        let file = try FileDescriptor.memory(named: "log")
        let script = "busybox yes 0123456789abcdef | busybox head -c 3000000 >&3; echo last words >&3; echo end"
        var process = jail.shell(isEndedByItself ? script : script + "; exec busybox sleep 100")
        process.descriptors.append(InheritedDescriptor(source: pipe.writer.rawValue, target: 3))
        jail.plan.log = JailLog(pipe: pipe.reader.rawValue, file: file.rawValue)
        jail.plan.processes = [process]
        #expect(try jail.start() == .exited(code: 0))
        _ = try jail.lines()
        if !isEndedByItself { jail.release() }
        _ = try jail.statuses { status in
            switch status {
            case .ended, .released: true
            default: false
            }
        }
        // The supervisor's end, after which nothing is written.
        _ = try jail.statuses { _ in false }
        let text = String(decoding: try file.readFromStart(limit: 1 << 22), as: UTF8.self)
        #expect(text.hasPrefix("[fc-jailer: earlier lines are left out]\n"))
        #expect(text.hasSuffix("last words\n"))
        #expect(text.utf8.count <= 256 << 10)
    }

    @Test("The supervisor's death ends every process of the jail")
    func theSupervisorsEndEndsEverything() throws {
        let (jail, pids) = try running()
        let first = try Process.descriptor(of: pids[1])
        let second = try Process.descriptor(of: pids[2])
        try Process.kill(pids[0], SIGKILL)
        #expect(Jail.endsSoon(first.borrowed))
        #expect(Jail.endsSoon(second.borrowed))
        _ = jail
    }

    @Test("The death of any process ends the jail and is reported", arguments: [(1, "first"), (2, "second")])
    func anyProcesssEndEndsEverything(index: Int, name: String) throws {
        let (jail, pids) = try running()
        let supervisor = try Process.descriptor(of: pids[0])
        let other = try Process.descriptor(of: pids[3 - index])
        try Process.kill(pids[index], SIGKILL)
        #expect(Jail.endsSoon(supervisor.borrowed))
        #expect(Jail.endsSoon(other.borrowed))
        #expect(try jail.statuses { _ in false } == [.ended(process: name, .signaled(signal: SIGKILL))])
    }

    @Test("A process's exit code is reported")
    func anExitCodeIsTold() throws {
        let jail = try Jail()
        jail.plan.processes = [jail.shell("exit 42")]
        #expect(try jail.start() == .exited(code: 0))
        #expect(try jail.statuses { _ in false }.last == .ended(process: "shell", .exited(code: 42)))
    }

    @Test("A failed process is reported after the peer that ended because of it")
    func theReasonIsToldLast() throws {
        let jail = try Jail()
        let both = try FileDescriptor.pipe()
        // The peer sees the end of the pipe, and ends in order, before the one that failed is gone.
        var peer = jail.shell("busybox cat <&4; exit 0", name: "peer")
        peer.descriptors.append(InheritedDescriptor(source: both.reader.rawValue, target: 4))
        var other = jail.shell("exec 4>&-; busybox sleep 0.1; exit 3", name: "other")
        other.descriptors.append(InheritedDescriptor(source: both.writer.rawValue, target: 4))
        jail.plan.processes = [peer, other]
        #expect(try jail.start() == .exited(code: 0))
        _ = consume both
        let ended = try jail.statuses { _ in false }.filter { if case .ended = $0 { true } else { false } }
        #expect(ended == [.ended(process: "peer", .exited(code: 0)), .ended(process: "other", .exited(code: 3))])
    }

    @Test("A jail adds no mount to the host's namespace")
    func nothingIsLeft() throws {
        let before = try mounts()
        let (jail, pids) = try running()
        let supervisor = try Process.descriptor(of: pids[0])
        #expect(try mounts() == before)
        jail.release()
        #expect(Jail.endsSoon(supervisor.borrowed))
        #expect(try mounts() == before)
    }

    func mounts() throws -> Int {
        try FileDescriptor.open("/proc/self/mountinfo").readAll(limit: 16 << 20).count { $0 == UInt8(ascii: "\n") }
    }

    /// What fc-jailer says of a plan it cannot carry out.
    func failure(_ change: (Jail, inout JailedProcess) throws -> Void) throws -> JailStatus? {
        let jail = try Jail()
        var process = jail.shell("exec busybox sleep 100")
        try change(jail, &process)
        jail.plan.processes = [jail.shell("exec busybox sleep 100", name: "other"), process]
        #expect(try jail.start() == .exited(code: 1))
        let statuses = try jail.statuses { if case .failed = $0 { true } else { false } }
        for case .process(_, let pid) in statuses {
            #expect(throws: Errno.self) { try Process.kill(pid, 0) }
        }
        return statuses.last
    }

    @Test("Each step of setting up a jail names its error")
    func eachStepNamesItsError() throws {
        #expect(
            try failure { _, process in process.executable = "/nowhere/x" }
                == .failed(process: "jail", reason: "open executable /nowhere/x: no such file or directory"))
        #expect(
            try failure { _, process in
                process.mounts.append(JailMount(source: .host(path: "/nowhere"), destination: "/x", isReadOnly: true))
            } == .failed(process: "jail", reason: "open /nowhere: no such file or directory"))
        var descriptor: Int32 = -1
        let cgroup = try failure { jail, _ in
            descriptor = jail.plan.lifeline
            jail.plan.cgroups = [descriptor]
        }
        #expect(
            cgroup == .failed(process: "jail", reason: "join cgroup (descriptor \(descriptor)): bad file descriptor"))
        let network = try failure { jail, _ in jail.plan.networkNamespace = jail.plan.lifeline }
        guard case .failed("jail", let reason) = network else {
            Issue.record("\(String(describing: network))")
            return
        }
        #expect(reason.hasPrefix("join network namespace") && reason.hasSuffix("invalid argument"))
    }

    @Test("Each step of setting up a jailed process names its error")
    func eachStepOfAProcessNamesItsError() throws {
        #expect(
            try failure { _, process in process.executable = "/etc/passwd" }
                == .failed(process: "shell", reason: "execute /etc/passwd: permission denied"))
        #expect(
            try failure { _, process in
                process.mounts.append(JailMount(source: .host(path: "/usr/bin"), destination: "/u", isReadOnly: true))
                process.mounts.append(JailMount(source: .temporary, destination: "/u/fc-nothing", isReadOnly: true))
            }
                == .failed(
                    process: "shell", reason: "make mount point /u/fc-nothing: it would be in a directory of the host"))
        #expect(
            try failure { jail, process in
                process.mounts.append(
                    JailMount(
                        source: .detached(descriptor: jail.plan.lifeline, isFile: false), destination: "/d",
                        isReadOnly: true))
            } == .failed(process: "shell", reason: "mount /d: invalid argument"))
        #expect(unsafe access("/usr/bin/fc-nothing", F_OK) != 0)
    }
}
