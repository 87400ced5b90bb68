// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import SandboxPlan
import Testing

@testable import Jailer

/// What a program finds in the jail, and how a jail ends. Each test starts the real fc-jailer.
@Suite(.enabled(if: Jail.obstacle == nil, Jail.obstacle), .serialized)
struct JailTests {
    /// What `script` prints in a jail of its own, made by `change`.
    func output(of script: String, change: (Jail, inout JailedProcess) throws -> Void = { _, _ in }) throws -> [String]
    {
        let jail = try Jail()
        var process = jail.shell(script + "\necho end\nexec busybox sleep 100")
        try change(jail, &process)
        jail.plan.processes = [process]
        #expect(try jail.start() == .exited(code: 0))
        return try jail.lines()
    }

    @Test("A jail has its own mount, pid, ipc, uts and network namespaces")
    func namespacesAreItsOwn() throws {
        let names = ["mnt", "pid", "ipc", "uts", "net"]
        let script = names.map { "busybox readlink /proc/self/ns/\($0)" }.joined(separator: "\n") + "\necho $$"
        let seen = try output(of: script)
        let own = try FileDescriptor.open("/proc/self/ns", [.path, .directory])
        try #require(seen.count == names.count + 1)
        for (index, name) in names.enumerated() {
            let here = try Directory.link(name, at: own.borrowed)
            #expect(seen[index].hasPrefix("\(name):["))
            #expect(seen[index] != here, "\(name)")
        }
        #expect(seen.last == "1")
    }

    @Test("A jail enters the network namespace of its plan")
    func anotherNetworkNamespaceIsEntered() throws {
        let own = try FileDescriptor.open("/proc/self/ns/net")
        let seen = try output(of: "busybox readlink /proc/self/ns/net") { jail, _ in
            jail.plan.networkNamespace = own.rawValue
        }
        let namespaces = try FileDescriptor.open("/proc/self/ns", [.path, .directory])
        #expect(seen == [try Directory.link("net", at: namespaces.borrowed)])
    }

    @Test("A jail's root holds only what its plan declares, read-only by default")
    func theRootHoldsWhatIsDeclared() throws {
        let script = """
            busybox ls -A / /bin /dev /etc
            busybox touch /x; busybox touch /bin/x; busybox touch /ro/x; busybox touch /tmp/x && echo made
            busybox cat /etc/*; busybox echo x > /dev/null && echo null
            """
        let file = "/tmp/fc-jailer-test-\(getpid())"
        try FileDescriptor.open(file, [.create, .writeOnly], mode: 0o644).writeAll(Array("content\n".utf8))
        defer { unsafe _ = unlink(file) }
        let seen = try output(of: script) { _, process in
            process.mounts += [
                JailMount(source: .devices(["full"]), destination: "/dev", isReadOnly: true),
                JailMount(source: .temporary, destination: "/tmp", isReadOnly: false),
                JailMount(source: .temporary, destination: "/ro", isReadOnly: true),
                JailMount(source: .host(path: file), destination: "/etc/name", isReadOnly: true),
            ]
        }
        #expect(
            seen == [
                "/:", "bin", "dev", "etc", "proc", "ro", "tmp", "", "/bin:", "busybox", "",
                "/dev:", "full", "null", "urandom", "zero", "", "/etc:", "name",
                "touch: /x: Read-only file system", "touch: /bin/x: Read-only file system",
                "touch: /ro/x: Read-only file system", "made", "content", "null",
            ])
    }

    @Test("Only the descriptors handed down are open in a jail")
    func onlyTheDescriptorsHandedDownAreOpen() throws {
        let seen = try output(of: "for d in /proc/$$/fd/*; do busybox readlink $d; done; busybox ls /proc/$$/fd") {
            jail, process in
            // Two that change places: 3 and 7 there, and a gap between.
            process.descriptors += [
                InheritedDescriptor(source: jail.plan.lifeline, target: 7),
                InheritedDescriptor(source: jail.plan.status, target: 3),
            ]
        }
        try #require(seen.count == 10)
        #expect(seen[0] == "/dev/null")
        #expect(seen[1] == seen[2])
        #expect(seen[3] != seen[4] && seen[3].hasPrefix("pipe:") && seen[4].hasPrefix("pipe:"))
        #expect(seen[5...] == ["0", "1", "2", "3", "7"])
    }

    /// From a directory of the host's, or from a place that is only held, `..` leads to the host's root.
    @Test(
        "A directory or an O_PATH descriptor is not handed down",
        arguments: [(false, "a directory"), (true, "a path (O_PATH)")])
    func nothingThatLeadsOutIsHandedDown(isPlace: Bool, kind: String) throws {
        let way = try FileDescriptor.open(isPlace ? "/dev/null" : "/tmp", isPlace ? .path : .directory)
        let jail = try Jail()
        var process = jail.shell("exec busybox sleep 100")
        process.descriptors.append(InheritedDescriptor(source: way.rawValue, target: 7))
        jail.plan.processes = [process]
        #expect(try jail.start() == .exited(code: 1))
        let last = try jail.statuses { if case .failed = $0 { true } else { false } }.last
        let reason = last.map(\.description) ?? ""
        #expect(reason.contains("descriptor \(way.rawValue) is open on \(kind)"), "\(reason)")
    }

    @Test("User, capabilities and limits are those of the plan, and no_new_privs is set")
    func privilegesAreThoseOfThePlan() throws {
        let script =
            "busybox grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Sig(Blk|Ign))' /proc/self/status; ulimit -n; ulimit -Hn; umask"
        let kept = try output(of: script) { _, process in
            process.capabilities = [0, 31]
            process.resourceLimits = [ResourceLimit(resource: 7, soft: 64, hard: 128)]
        }
        #expect(
            kept == [
                "Uid:\t0\t0\t0\t0", "Gid:\t0\t0\t0\t0", "Groups:\t ", "SigBlk:\t0000000000000000",
                "SigIgn:\t0000000000000000", "CapInh:\t0000000080000001", "CapPrm:\t0000000080000001",
                "CapEff:\t0000000080000001", "CapBnd:\t0000000080000001", "CapAmb:\t0000000080000001",
                "NoNewPrivs:\t1", "64", "128", "0022",
            ])
        let nobody = try output(of: "busybox grep -E '^(Uid|Gid|CapEff|CapBnd|NoNewPrivs)' /proc/self/status") {
            _, process in
            process.uid = 65534
            process.gid = 65533
        }
        #expect(
            nobody == [
                "Uid:\t65534\t65534\t65534\t65534", "Gid:\t65533\t65533\t65533\t65533",
                "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1",
            ])
        let ambient = try output(of: "busybox grep -E '^CapEff' /proc/self/status") { _, process in
            process.uid = 65534
            process.capabilities = [12]
        }
        #expect(ambient == ["CapEff:\t0000000000001000"])
    }

    @Test("Resource limits are not raised above the caller's")
    func limitsAreNeverRaised() throws {
        var limits = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
        let seen = try output(of: "ulimit -Hn") { _, process in
            process.resourceLimits = [ResourceLimit(resource: 7, soft: .max, hard: .max)]
        }
        #expect(seen == [limits.rlim_max == .max ? "unlimited" : "\(limits.rlim_max)"])
    }

    @Test("A detached mount is writable in the jail, without devices and programs")
    func aDetachedMountArrivesAndDoesNothingOnTheHost() throws {
        let tree = try Mount.make("tmpfs", options: ["mode=0755"])
        try Directory.make("inner", at: tree.borrowed)
        let script = """
            busybox ls /shared/0/rootfs; busybox touch /shared/0/rootfs/x && echo written
            busybox mknod /shared/0/rootfs/null c 1 3 && busybox cat /shared/0/rootfs/null
            busybox cp /bin/busybox /shared/0/rootfs/ && /shared/0/rootfs/busybox echo ran
            busybox mkdir /shared/1
            """
        let seen = try output(of: script) { _, process in
            process.capabilities = [27]
            process.mounts += [
                JailMount(source: .temporary, destination: "/shared", isReadOnly: true),
                JailMount(
                    source: .detached(descriptor: tree.rawValue, isFile: false), destination: "/shared/0/rootfs",
                    isReadOnly: false),
            ]
        }
        #expect(
            seen == [
                "inner", "written", "cat: can't open '/shared/0/rootfs/null': Permission denied",
                "sh: /shared/0/rootfs/busybox: Permission denied",
                "mkdir: can't create directory '/shared/1': Read-only file system",
            ])
    }

    @Test("The supervisor gives up its capabilities, root and descriptors")
    func theSupervisorKeepsNothing() throws {
        let jail = try Jail()
        jail.plan.processes = [jail.shell("exec busybox sleep 100")]
        #expect(try jail.start() == .exited(code: 0))
        let statuses = try jail.statuses { $0 == .started }
        guard case .supervisor(let pid) = statuses.first else {
            Issue.record("no supervisor in \(statuses)")
            return
        }
        // It drops the last of it just after it has said that everything runs.
        var status = ""
        for _ in 0..<50 {
            status = String(
                decoding: try FileDescriptor.open("/proc/\(pid)/status").readAll(limit: 65536), as: UTF8.self)
            if status.contains("NoNewPrivs:\t1") { break }
            usleep(10_000)
        }
        #expect(status.contains("NoNewPrivs:\t1"))
        for set in ["Inh", "Prm", "Eff", "Bnd", "Amb"] { #expect(status.contains("Cap\(set):\t0000000000000000")) }
        #expect(status.contains("NSsid:\t\(pid)\t1") || status.contains("NSsid:\t\(pid)"))
        let root = try FileDescriptor.open("/proc/\(pid)/root/.", [.directory])
        #expect(try Directory.subdirectories(of: root.borrowed) == [])
        // Standard streams, lifeline, status, epoll, one pidfd.
        let table = try FileDescriptor.open("/proc/\(pid)/fd", [.path, .directory])
        var open: [Int] = []
        for _ in 0..<100 {
            open = (0..<4096).filter { (try? Directory.link("\($0)", at: table.borrowed)) != nil }
            if open.count == 7 { break }
            usleep(10_000)
        }
        #expect(open.count == 7)
        for number in 0...2 { #expect(try Directory.link("\(number)", at: table.borrowed) == "/dev/null") }
    }
}
