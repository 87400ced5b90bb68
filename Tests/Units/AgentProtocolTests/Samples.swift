// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import SandboxPlan

/// One of everything, with every field away from its default.
enum Samples {
    static let token = StreamToken(Array(0..<16))!

    static var process: ProcessPlan {
        var plan = ProcessPlan(
            arguments: ["/bin/sh", "-c", "echo grüße"], environment: ["A=1", "B="], workingDirectory: "/w")
        plan.user.uid = 1000
        plan.user.gid = 1001
        plan.user.additionalGroups = [4, 0, 4_294_967_295]
        plan.user.umask = 0o27
        plan.hasTerminal = true
        plan.terminalKeepsNewlines = true
        plan.terminalSize = TerminalSize(rows: 24, columns: 65535)
        plan.resourceLimits = [ResourceLimit(resource: 7, soft: 1024, hard: .max)]
        plan.capabilities.bounding = 1 << 40
        plan.capabilities.effective = 2
        plan.capabilities.permitted = 3
        plan.capabilities.inheritable = 4
        plan.capabilities.ambient = 5
        plan.noNewPrivileges = true
        plan.oomScoreAdjustment = -1000
        plan.seccomp = SeccompPlan(program: Array(repeating: 7, count: 16), flags: 3)
        return plan
    }

    static var resources: ResourcePlan {
        var plan = ResourcePlan()
        plan.files = [KernelParameter(name: "memory.max", value: "max")]
        plan.deviceRules = [
            DeviceRule(
                allows: true, kind: .character, major: 1, minor: 0, canRead: true, canWrite: false, canMakeNode: true),
            DeviceRule(
                allows: false, kind: nil, major: nil, minor: nil, canRead: true, canWrite: true, canMakeNode: true),
        ]
        return plan
    }

    static var container: ContainerPlan {
        var plan = ContainerPlan(
            id: "c-1", process: process, root: RootPlan(.shared(path: "0/rootfs"), isReadOnly: true))
        plan.root.propagation = .slave
        plan.hostname = "h"
        plan.domainName = "d"
        var bind = MountPlan(
            destination: "/etc/hosts", source: .shared(path: "0/1", isFile: true, recursive: true),
            attributes: [.readOnly, .noSymlinkFollow])
        bind.propagation = .shared
        bind.propagationIsRecursive = true
        bind.recursiveSet = .noExecute
        bind.recursiveClear = .noAccessTime
        plan.mounts = [
            MountPlan(
                destination: "/tmp",
                source: .fileSystem(type: "tmpfs", source: "tmpfs", options: ["size=1m", "mode=1777"], copiesUp: true)),
            MountPlan(destination: "/sys/fs/cgroup", source: .cgroup), bind,
            MountPlan(destination: "/dev/shm", source: .guest(path: "/run/shm", recursive: true)),
            MountPlan(
                destination: "/dev/shm", source: .guest(path: "/dev/shm", recursive: false, container: "other")),
            MountPlan(
                destination: "/run/d.sock",
                source: .socket(
                    HostSocket(port: 4_000_000_000, token: Array(1...16), mode: 0o660, uid: 0, gid: 4_294_967_294))),
        ]
        plan.namespaces = [NamespacePlan(kind: .mount), NamespacePlan(kind: .network, joins: "other")]
        plan.devices = [
            DevicePlan(path: "/dev/x", kind: .block, major: 259, minor: 1, mode: 0o660, uid: 1, gid: 2)
        ]
        plan.maskedPaths = ["/proc/kcore"]
        plan.readOnlyPaths = ["/proc/sys", "/proc/irq"]
        plan.kernelParameters = [KernelParameter(name: "net.ipv4.ip_forward", value: "1")]
        plan.resources = resources
        return plan
    }

    static var onDisk: ContainerPlan {
        let disk = DiskMount(
            serial: "root-0", fileSystem: .squashfs, options: ["a", "b=c"], attributes: [.noDevices, .noAccessTime],
            isReadOnly: true)
        return ContainerPlan(
            id: "e", process: ProcessPlan(arguments: ["x"]), root: RootPlan(.disk(disk), isReadOnly: true))
    }

    static var network: NetworkPlan {
        func prefix(_ bytes: [UInt8], _ length: UInt8) -> IPPrefix {
            guard let address = IPAddress(bytes), let prefix = IPPrefix(address, length: length) else {
                preconditionFailure("no prefix")
            }
            return prefix
        }
        let six = [UInt8](0..<16)
        var interface = NetworkInterface(slot: 1, name: "eth0", hardwareAddress: [2, 1, 2, 3, 4, 5], mtu: 9000)
        var address = InterfaceAddress(local: prefix([10, 0, 0, 2], 24))
        (address.peer, address.broadcast, address.scope) = (IPAddress([10, 0, 0, 1]), IPAddress([10, 0, 0, 255]), 253)
        address.hasPrefixRoute = false
        interface.addresses = [address, InterfaceAddress(local: prefix(six, 64))]
        interface.neighbours = [
            NetworkNeighbour(address: prefix(six, 128).address, hardwareAddress: [1, 2, 3, 4, 5, 6])
        ]
        var down = NetworkInterface(slot: 0, name: "x", hardwareAddress: [2, 0, 0, 0, 0, 1], mtu: 68)
        down.isUp = false
        var route = NetworkRoute(
            destination: prefix([10, 9, 0, 0], 16), gateway: IPAddress([10, 0, 0, 1]), interface: "eth0")
        (route.source, route.priority, route.table, route.mtu) = (IPAddress([10, 0, 0, 2]), 7, 1000, 1400)
        (route.scope, route.type, route.protocolNumber, route.isOnLink) = (253, 1, 4, true)
        var blackhole = NetworkRoute(destination: prefix(six, 0), interface: "")
        blackhole.type = 6
        var rule = RoutingRule(isVersion6: true, priority: 100, table: 1000)
        (rule.source, rule.destination) = (prefix(six, 64), prefix(six, 128))
        (rule.inputInterface, rule.outputInterface, rule.mark, rule.mask) = ("eth0", "x", 1, 0xff)
        var plan = NetworkPlan()
        plan.interfaces = [interface, down]
        plan.routes = [route, blackhole]
        plan.rules = [rule, RoutingRule(isVersion6: false, priority: 0, table: 1)]
        return plan
    }

    static var requests: [Request] {
        let init_ = ProcessName(container: "c")
        let exec = ProcessName(container: "c", exec: "e")
        return [
            .hello(version: 1),
            .configure(GuestConfiguration(hostname: "vm", timeNanoseconds: -1, entropy: [0, 1, 2, 255])),
            .create(container, streams: StreamTokens(input: token, output: nil, error: token), isOwned: true),
            .create(
                ContainerPlan(
                    id: "d", process: ProcessPlan(arguments: ["x"]),
                    root: RootPlan(.shared(path: ""), isReadOnly: false)), streams: StreamTokens(), isOwned: false),
            .create(onDisk, streams: StreamTokens(), isOwned: true),
            .start(container: "c"),
            .exec(exec, process: process, streams: StreamTokens(output: token), isOwned: true),
            .signal(init_, number: 15, toAll: false), .signal(exec, number: -1, toAll: true),
            .wait(init_), .wait(exec), .forgetShare(name: "m1f"), .forgetShare(name: ""),
            .network(network), .network(NetworkPlan()),
            .resolver(port: 4_000_000_000, token: token),
            .resize(exec, size: TerminalSize(rows: 1, columns: 2)),
            .resize(init_, size: TerminalSize(rows: 0, columns: 0)),
            .closeStdin(init_), .update(container: "c", resources: resources),
            .update(container: "c", resources: ResourcePlan()), .pause(container: "c"), .resume(container: "c"),
            .stats(container: "c"), .processes(container: "c"), .delete(container: "c", force: true),
            .delete(container: "c", force: false), .shutdown,
        ]
    }

    static var requested: ProcessExit {
        var exit = ProcessExit(status: .signaled(signal: 9))
        (exit.outputByteCount, exit.errorByteCount, exit.wasRequested) = (1 << 40, 7, true)
        return exit
    }

    static let answers: [Answer] = [
        .done, .failure(Failure(errno: 2, stage: "exec", message: "no")), .welcome(version: 1),
        .started(pid: 42),
        .exited(ProcessExit(status: .exited(code: 255), ranOutOfMemory: true)),
        .exited(requested),
        .statistics([KernelParameter(name: "cpu.stat", value: "usage_usec 1\nuser_usec 2\n")]),
        .processes([
            ProcessEntry(
                pid: 1, parentPID: 2, uid: 3, startTicks: 4, cpuTicks: .max, terminal: "pts/0", command: "sh -c x")
        ]),
        .event(container: "c", kind: "oom"),
    ]
}
