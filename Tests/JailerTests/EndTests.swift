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

    @Test func theLifelineEndsEverything() throws {
        let (jail, pids) = try running()
        let first = try Process.descriptor(of: pids[1])
        let second = try Process.descriptor(of: pids[2])
        jail.release()
        #expect(Jail.endsSoon(first.rawValue))
        #expect(Jail.endsSoon(second.rawValue))
        #expect(try jail.statuses { _ in false } == [.released])
    }

    @Test func theSupervisorsEndEndsEverything() throws {
        let (jail, pids) = try running()
        let first = try Process.descriptor(of: pids[1])
        let second = try Process.descriptor(of: pids[2])
        try Process.kill(pids[0], SIGKILL)
        #expect(Jail.endsSoon(first.rawValue))
        #expect(Jail.endsSoon(second.rawValue))
        _ = jail
    }

    @Test(arguments: [(1, "first"), (2, "second")])
    func anyProcesssEndEndsEverything(index: Int, name: String) throws {
        let (jail, pids) = try running()
        let supervisor = try Process.descriptor(of: pids[0])
        let other = try Process.descriptor(of: pids[3 - index])
        try Process.kill(pids[index], SIGKILL)
        #expect(Jail.endsSoon(supervisor.rawValue))
        #expect(Jail.endsSoon(other.rawValue))
        #expect(try jail.statuses { _ in false } == [.ended(process: name, .signaled(signal: SIGKILL))])
    }

    @Test func anExitCodeIsTold() throws {
        let jail = try Jail()
        jail.plan.processes = [jail.shell("exit 42")]
        #expect(try jail.start() == .exited(code: 0))
        #expect(try jail.statuses { _ in false }.last == .ended(process: "shell", .exited(code: 42)))
    }

    @Test func theReasonIsToldLast() throws {
        let jail = try Jail()
        let both = try FileDescriptor.pipe()
        // The peer sees the end of the pipe, and ends in order, before the one that failed is gone.
        var peer = jail.shell("busybox cat <&4; exit 0", name: "peer")
        peer.descriptors.append(HandedDescriptor(here: both.reader.rawValue, there: 4))
        var other = jail.shell("exec 4>&-; busybox sleep 0.1; exit 3", name: "other")
        other.descriptors.append(HandedDescriptor(here: both.writer.rawValue, there: 4))
        jail.plan.processes = [peer, other]
        #expect(try jail.start() == .exited(code: 0))
        _ = consume both
        let ended = try jail.statuses { _ in false }.filter { if case .ended = $0 { true } else { false } }
        #expect(ended == [.ended(process: "peer", .exited(code: 0)), .ended(process: "other", .exited(code: 3))])
    }

    @Test func nothingIsLeft() throws {
        let before = try mounts()
        let (jail, pids) = try running()
        let supervisor = try Process.descriptor(of: pids[0])
        #expect(try mounts() == before)
        jail.release()
        #expect(Jail.endsSoon(supervisor.rawValue))
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

    @Test func eachStepNamesItsError() throws {
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

    @Test func eachStepOfAProcessNamesItsError() throws {
        #expect(
            try failure { _, process in process.executable = "/etc/passwd" }
                == .failed(process: "shell", reason: "execute /etc/passwd: permission denied"))
        #expect(
            try failure { _, process in
                process.mounts.append(JailMount(source: .host(path: "/usr/bin"), destination: "/u", isReadOnly: true))
                process.mounts.append(JailMount(source: .temporary, destination: "/u/fc-nothing", isReadOnly: true))
            }
                == .failed(
                    process: "shell", reason: "make place /u/fc-nothing: it would lie in a directory of the host's"))
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
