// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux
import SandboxPlan
import Testing

/// Containers made on this machine by the agent itself.
@Suite(.serialized, .enabled(if: HostedAgent.lack == nil, "\(HostedAgent.lack ?? "")"))
struct ContainerTests {
    let agent: HostedAgent

    init() throws { agent = try HostedAgent() }

    @Test("A container runs, its output and exit code arrive, and its name is free again")
    func runsAndTellsItsCode() throws {
        let outcome = try agent.run(agent.plan("c", "echo out; echo err >&2; hostname; exit 7"))
        #expect(outcome.output == "out\nbox\n")
        #expect(outcome.error == "err\n")
        #expect(outcome.code == 7)
        // The name is free again.
        #expect(try agent.run(agent.plan("c", "exit 255")).code == 255)
    }

    @Test("A container killed by a signal reports that signal")
    func diesOfSignals() throws {
        try agent.startLasting("c")
        try agent.control.call(.signal(ProcessName(container: "c"), number: 9, toAll: false), timeout: .seconds(5))
        #expect(try agent.wait(ProcessName(container: "c"))?.status == .signaled(signal: 9))
    }

    @Test("Megabytes of input and output arrive complete")
    func everyByteArrives() throws {
        let bytes: [UInt8] = (0..<3_000_000).map { (index: Int) in UInt8(truncatingIfNeeded: index / 7) }
        let outcome = try agent.run(agent.plan("c", ["cat"]), input: bytes)
        #expect(outcome.outputBytes == bytes)
        let large = try agent.run(agent.plan("c", "head -c 20000000 /dev/zero"))
        #expect(large.outputBytes.count == 20_000_000)
    }

    @Test("A process has the environment, directory, user, group and umask of its plan")
    func environmentDirectoryAndUser() throws {
        var plan = agent.plan("c", "echo $A $HOME; pwd; id -u; id -g; umask; echo w >/dev/stdout")
        plan.process.environment += ["A=1", "A=2"]
        plan.process.workingDirectory = "/made/for/it"
        plan.process.user.uid = 1000
        plan.process.user.gid = 1001
        plan.process.user.umask = 0o27
        #expect(try agent.run(plan).output == "2 /home/u\n/made/for/it\n1000\n1001\n0027\nw\n")
    }

    @Test("A container has pid and network namespaces of its own and inherits no descriptors")
    func isAlone() throws {
        let outcome = try agent.run(
            agent.plan(
                "c", "echo $$; cat /proc/1/comm; ls /proc/self/fd; ls /sys/class/net; cat /proc/self/oom_score_adj"))
        #expect(outcome.output.hasPrefix("1\nsh\n0\n1\n2\n3\nlo\n"), "\(outcome.output)")
        #expect(outcome.output.hasSuffix("\n0\n"))
    }

    @Test("A terminal has the planned window size and is all three standard streams")
    func terminal() throws {
        var plan = agent.plan(
            "c", "stty size; tty; test -t 0 && test -t 1 && test -t 2 && read x && echo got $x; exit 3")
        plan.process.hasTerminal = true
        plan.process.terminalSize = TerminalSize(rows: 33, columns: 77)
        let outcome = try agent.run(plan, input: Array("line\n".utf8))
        #expect(outcome.output.contains("33 77\r\n"))
        #expect(outcome.output.contains("got line\r\n"), "\(outcome.output)")
        #expect(outcome.code == 3)
    }

    @Test("Capabilities and no_new_privs are those of the plan")
    func capabilitiesAndPrivileges() throws {
        var plan = agent.plan("c", "while read l; do case $l in Cap*|NoNew*) echo $l;; esac; done < /proc/self/status")
        plan.process.noNewPrivileges = true
        plan.process.capabilities.ambient = 0
        let lines = try agent.run(plan).output
        #expect(lines.contains("CapEff: 00000000a80425fb"))
        #expect(lines.contains("CapBnd: 00000000a80425fb"))
        #expect(lines.contains("NoNewPrivs: 1"))
        plan.process.capabilities = CapabilityPlan()
        #expect(try agent.run(plan).output.contains("CapBnd: 0000000000000000"))
    }

    @Test("Masked paths read as empty, and read-only paths and roots refuse writes")
    func maskedAndReadOnlyPaths() throws {
        var plan = agent.plan(
            "c", "head -c 1 /etc/passwd; ls /etc/d; echo x > /tmp/x; echo $?; echo y > /dev/y && echo $?")
        try Directory.make(agent.directory + "/shared/0/rootfs/etc/d", mode: 0o755)
        try agent.makeFile("0/rootfs/etc/d/secret", "s")
        plan.maskedPaths = ["/etc/passwd", "/etc/d", "/nowhere"]
        plan.readOnlyPaths = ["/tmp", "/nowhere/else"]
        #expect(try agent.run(plan).output == "1\n0\n")
        plan.maskedPaths = []
        plan.readOnlyPaths = []
        plan.root.isReadOnly = true
        let outcome = try agent.run(plan)
        #expect(outcome.output == "rsecret\n1\n0\n")
        #expect(outcome.error.contains("Read-only file system"))
    }

    @Test("Shared files and directories are mounted, and a read-only mount refuses writes")
    func volumes() throws {
        try agent.makeFile("0/file", "one file")
        try Directory.make(agent.directory + "/shared/0/vol", mode: 0o755)
        try agent.makeFile("0/vol/a", "in a folder")
        var plan = agent.plan("c", "cat /m/f /v/a; ls /m; echo new > /v/b; echo no > /r/c")
        plan.mounts += [
            MountPlan(destination: "/m/f", source: .shared(path: "0/file", isFile: true, recursive: false)),
            MountPlan(destination: "/v", source: .shared(path: "0/vol", isFile: false, recursive: true)),
            MountPlan(
                destination: "/r", source: .shared(path: "0/vol", isFile: false, recursive: true), attributes: .readOnly
            ),
        ]
        let outcome = try agent.run(plan)
        #expect(outcome.output == "one filein a folderf\n")
        #expect(outcome.error.contains("Read-only file system"))
        #expect(try FileDescriptor.open(agent.directory + "/shared/0/vol/b").readAll(limit: 10) == Array("new\n".utf8))
    }

    @Test("A tmpfs that copies up starts with the files it covers and leaves the root alone")
    func tmpfsBeginsWithWhatItCovers() throws {
        var plan = agent.plan("c", "cat /etc/passwd; echo x > /etc/x; ls /etc")
        plan.mounts.append(
            MountPlan(
                destination: "/etc",
                source: .fileSystem(type: "tmpfs", source: "tmpfs", options: ["size=1m"], copiesUp: true)))
        #expect(try agent.run(plan).output.hasSuffix("passwd\nx\n"))
        #expect((try? FileDescriptor.open(agent.directory + "/shared/0/rootfs/etc/x")) == nil)
    }

    @Test("Planned device nodes are made and work, and /dev has its standard links")
    func devices() throws {
        var plan = agent.plan(
            "c",
            "ls -l /dev/mine; head -c 3 /dev/mine | cat >/dev/null && echo read; readlink /dev/ptmx; readlink /dev/fd")
        plan.devices = [
            DevicePlan(path: "/dev/mine", kind: .character, major: 1, minor: 5, mode: 0o640, uid: 3, gid: 4)
        ]
        let outcome = try agent.run(plan)
        #expect(outcome.output.hasPrefix("crw-r-----    1 3        4           1,   5"))
        #expect(outcome.output.hasSuffix("read\npts/ptmx\n/proc/self/fd\n"))
    }

    @Test("A seccomp filter applies with and without no_new_privs")
    func seccomp() throws {
        // mkdir(2) is refused with EACCES, all else allowed.
        #if arch(x86_64)
            let mkdir: UInt8 = 83
        #else
            let mkdir: UInt8 = 34
        #endif
        let program: [UInt8] = [
            0x20, 0, 0, 0, 0, 0, 0, 0,  // load the number
            0x15, 0, 0, 1, mkdir, 0, 0, 0,  // is it mkdir's?
            0x06, 0, 0, 0, 0x0d, 0, 0x05, 0,  // EACCES
            0x06, 0, 0, 0, 0, 0, 0xff, 0x7f,  // allowed
        ]
        for noNewPrivileges in [true, false] {
            var plan = agent.plan("c", "busybox mkdir /tmp/d || echo refused")
            plan.process.noNewPrivileges = noNewPrivileges
            plan.process.seccomp = SeccompPlan(program: program, flags: 0)
            #expect(try agent.run(plan).output == "refused\n")
        }
    }
}
