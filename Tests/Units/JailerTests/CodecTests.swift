// SPDX-License-Identifier: Apache-2.0
import SandboxPlan
import Testing

@testable import Jailer

/// The command line of fc-jailer: a JailPlan, there and back.
struct CodecTests {
    static var plan: JailPlan {
        var server = JailedProcess(
            name: "fc-fsd", executable: "/usr/libexec/fc-fsd",
            arguments: ["--tag", "x", "--argument", "", "--process", "two\nlines", "ä,b=c"])
        server.environment = ["A=1", "--uid"]
        server.mounts = [
            JailMount(source: .host(path: "/usr"), destination: "/usr", isReadOnly: true),
            JailMount(
                source: .detached(descriptor: 9, isFile: false), destination: "/shared/0/rootfs", isReadOnly: false),
            JailMount(source: .detached(descriptor: 10, isFile: true), destination: "/shared/1", isReadOnly: true),
            JailMount(source: .processes, destination: "/proc", isReadOnly: true),
            JailMount(source: .temporary, destination: "/tmp", isReadOnly: false),
            JailMount(source: .devices(["kvm", "vhost-net"]), destination: "/dev", isReadOnly: true),
        ]
        server.descriptors = [InheritedDescriptor(source: 7, target: 3), InheritedDescriptor(source: 3, target: 7)]
        server.capabilities = [0, 31]
        server.resourceLimits = [ResourceLimit(resource: 7, soft: 100, hard: .max)]
        server.uid = 65534
        server.gid = 0
        var plan = JailPlan(id: "a.b_c+d-e", lifeline: 3, status: 4)
        plan.cgroups = [5, 6]
        plan.log = JailLog(pipe: 11, file: 12)
        plan.networkNamespace = 8
        plan.processes = [server, JailedProcess(name: "fc-vmm", executable: "/vmm", arguments: [])]
        return plan
    }

    @Test("A plan survives its command line unchanged")
    func aPlanComesBackAsItWas() throws {
        #expect(try JailPlan(parsing: Self.plan.arguments) == Self.plan)
        var small = JailPlan(id: "x", lifeline: 0, status: 1)
        small.processes = [JailedProcess(name: "y", executable: "/z", arguments: [])]
        #expect(try JailPlan(parsing: small.arguments) == small)
    }

    @Test("Every descriptor a plan names is inherited")
    func everyDescriptorIsInherited() {
        #expect(Self.plan.inheritedDescriptors == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    }

    @Test(
        "A wrong word on the command line is refused by name",
        arguments: [
            (["--bogus"], JailError.wordBeforeProcess("--bogus")),
            (["bogus"], .unknownWord("bogus")),
            (["--id"], .missingValue(of: "--id")),
            (["--id", "../x"], .badValue("../x", of: "--id")),
            (["--id", ".."], .badValue("..", of: "--id")),
            (["--id", "x", "--id", "x"], .repeatedWord("--id")),
            (["--lifeline-fd", "+3"], .badValue("+3", of: "--lifeline-fd")),
            (["--lifeline-fd", "-1"], .badValue("-1", of: "--lifeline-fd")),
            (["--status-fd", "99999999999"], .badValue("99999999999", of: "--status-fd")),
            (["--uid", "0"], .wordBeforeProcess("--uid")),
            (["--process", "a b"], .badValue("a b", of: "--process")),
            (["--process", "a", "--executable", "relative"], .badValue("relative", of: "--executable")),
            (["--process", "a", "--mount-host", "/usr", "/a/../b", "ro"], .badValue("/a/../b", of: "--mount-host")),
            (["--process", "a", "--mount-host", "/usr", "/", "ro"], .badValue("/", of: "--mount-host")),
            (["--process", "a", "--mount-temporary", "/tmp", "rx"], .badValue("rx", of: "--mount-temporary")),
            (
                ["--process", "a", "--mount-detached", "3", "/a", "ro", "pipe"],
                .badValue("pipe", of: "--mount-detached")
            ),
            (["--process", "a", "--mount-other", "/a", "ro"], .unknownWord("--mount-other")),
            (["--process", "a", "--device", "kvm"], .wordBeforeProcess("--device")),
            (["--process", "a", "--descriptor", "3", "256"], .badValue("256", of: "--descriptor")),
            (
                ["--process", "a", "--descriptor", "3", "4", "--descriptor", "5", "4"],
                .badValue("4", of: "--descriptor")
            ),
            (["--process", "a", "--capability", "64"], .badValue("64", of: "--capability")),
            (["--process", "a", "--limit", "7", "20", "10"], .badValue("10", of: "--limit")),
            (["--process", "a", "--uid", "4294967295"], .badValue("4294967295", of: "--uid")),
            (["--id", "x", "--lifeline-fd", "3", "--status-fd", "4"], .missingWord("--process")),
            (["--id", "x", "--lifeline-fd", "3"], .missingWord("--status-fd")),
            (
                ["--id", "x", "--lifeline-fd", "3", "--status-fd", "4", "--process", "a"],
                .missingWord("--executable")
            ),
        ])
    func whatIsWrongIsNamed(words: [String], error: JailError) {
        #expect(throws: error) { try JailPlan(parsing: words) }
    }

    @Test("The number of processes in a plan is bounded")
    func thereIsABoundOnEverything() {
        let words = (0...JailParser.processLimit).flatMap { ["--process", "p\($0)", "--executable", "/x"] }
        #expect(throws: JailError.tooMany("--process", limit: JailParser.processLimit)) {
            try JailPlan(parsing: words)
        }
    }
}

/// The lines on the status descriptor.
struct StatusTests {
    @Test(
        "A status survives its line unchanged",
        arguments: [
            (JailStatus.supervisor(pid: 12), "pid 12"),
            (.process(name: "fc-fsd", pid: 13), "process fc-fsd 13"),
            (.started, "started"),
            (.failed(process: "fc-fsd", reason: "mount /x: no such file"), "failed fc-fsd: mount /x: no such file"),
            (.ended(process: "qemu", .signaled(signal: 9)), "ended qemu: signal 9"),
            (.ended(process: "qemu", .exited(code: 3)), "ended qemu: exit code 3"),
            (.released, "released"),
        ])
    func aLineComesBackAsItWas(status: JailStatus, line: String) {
        #expect(status.description == line)
        #expect(JailStatus(line: line) == status)
    }

    @Test(
        "A line of any other form is no status",
        arguments: ["", "pid", "pid x", "started now", "ended qemu: exit code", "ended qemu signal 9", "failed x"])
    func nothingElseIsAStatus(line: String) {
        #expect(JailStatus(line: line) == nil)
    }

    @Test("A failure's reason is stripped of control characters and cut to one line")
    func aReasonStaysOnItsLine() {
        let status = JailStatus.failed(
            process: "a", reason: "open /x\nstarted\u{1b}[0m: no" + String(repeating: "y", count: 5000))
        #expect(!status.description.contains("\n"))
        #expect(!status.description.unicodeScalars.contains("\u{1b}"))
        #expect(status.description.count < 1100)
    }
}
