// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import OCISpec

@Suite("OCISpec: validation") struct Rules {
    @Test(
        "Versions of the specification from 1.0.0 to 1.3.x are accepted",
        arguments: ["1.0.0", "1.0.2-dev", "1.0.2", "1.1.0+build", "1.2.1", "1.3.0", "1.3.7", "1.3.0-rc.1"])
    func versionsAccepted(version: String) {
        #expect(failure(minimal().replacingFirst("1.0.2", with: version)) == nil)
    }

    @Test(
        "Unsupported and malformed versions are refused with the reason",
        arguments: [
            ("", "ociVersion: must not be empty"),
            ("0.9.0", "ociVersion: unsupported version \"0.9.0\", supported are 1.0.0 to 1.3.x"),
            ("1.0.0-rc5", "ociVersion: unsupported version \"1.0.0-rc5\", supported are 1.0.0 to 1.3.x"),
            ("1.4.0", "ociVersion: unsupported version \"1.4.0\", supported are 1.0.0 to 1.3.x"),
            ("2.0.0", "ociVersion: unsupported version \"2.0.0\", supported are 1.0.0 to 1.3.x"),
            ("1.0", "ociVersion: \"1.0\" is not a valid semantic version"),
            ("1.0.x", "ociVersion: \"1.0.x\" is not a valid semantic version"),
            ("v1.0.0", "ociVersion: \"v1.0.0\" is not a valid semantic version"),
            ("1.0.0-", "ociVersion: \"1.0.0-\" is not a valid semantic version"),
            ("1.0.99999999999999999999", "ociVersion: \"1.0.99999999999999999999\" is not a valid semantic version"),
        ])
    func versionsRefused(version: String, error: String) {
        #expect(failure(minimal().replacingFirst("1.0.2", with: version)) == error)
    }

    @Test(
        "A document that breaks a rule is refused by field and reason",
        arguments: [
            (#"{"ociVersion": "1.0.0"}"#, "process: is required"),
            (#"{"ociVersion": "1.0.0", "process": {"cwd": "/", "args": ["a"]}}"#, "root: is required"),
            (
                #"{"ociVersion": "1.0.0", "process": {"cwd": "/"}, "root": {"path": "r"}}"#,
                "process.args: must not be empty"
            ),
            (
                #"{"ociVersion": "1.0.0", "process": {"cwd": "/", "args": [""]}, "root": {"path": "r"}}"#,
                "process.args[0]: must not be empty"
            ),
            (
                #"{"ociVersion": "1.0.0", "process": {"args": ["a"]}, "root": {"path": "r"}}"#,
                "process.cwd: is required"
            ),
            (
                #"{"ociVersion": "1.0.0", "process": {"cwd": "", "args": ["a"]}, "root": {"path": "r"}}"#,
                "process.cwd: must not be empty"
            ),
            (
                #"{"ociVersion": "1.0.0", "process": {"cwd": "x/y", "args": ["a"]}, "root": {"path": "r"}}"#,
                "process.cwd: \"x/y\" is not an absolute path"
            ),
            (
                #"{"ociVersion": "1.0.0", "process": {"cwd": "/", "args": ["a"]}, "root": {"path": ""}}"#,
                "root.path: must not be empty"
            ),
            (
                #"{"ociVersion": "1.0.0", "process": {"cwd": "/", "args": ["a"]}, "root": {"path": "r"}, "hostname": "h"}"#,
                "hostname: needs a private uts namespace in linux.namespaces"
            ),
            (
                #"{"ociVersion": "1.0.0", "process": {"cwd": "/", "args": ["a"]}, "root": {"path": "r"}, "domainname": "h"}"#,
                "domainname: needs a private uts namespace in linux.namespaces"
            ),
            (
                minimal(#""mounts": [{"destination": "a", "type": "proc"}]"#),
                "mounts[0].destination: \"a\" is not an absolute path"
            ),
            (minimal(#""mounts": [{"destination": "/a"}]"#), "mounts[0].type: is required"),
            (minimal(#""mounts": [{"destination": "/a", "options": ["bind"]}]"#), "mounts[0].source: is required"),
            (
                minimal(
                    #""mounts": [{"destination": "/a", "type": "tmpfs", "#
                        + #""uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}]}]"#),
                "mounts[0].uidMappings: is only possible with the option \"bind\""
            ),
            (
                minimal(#""hooks": {"poststop": [{"path": "bin/x"}]}"#),
                "hooks.poststop[0].path: \"bin/x\" is not an absolute path"
            ),
            (
                minimal(#""hooks": {"poststop": [{"path": "/x", "timeout": 0}]}"#),
                "hooks.poststop[0].timeout: expected an integer from 1 to 9223372036854775807, found 0"
            ),
            (minimal(#""annotations": {"": "x"}"#), "annotations: must not be empty"),
            (minimal(#""vm": {"kernel": {"path": "vmlinuz"}}"#), "vm.kernel.path: \"vmlinuz\" is not an absolute path"),
        ])
    func document(text: String, error: String) { #expect(failure(text) == error) }

    @Test(
        "Process fields are validated, and a refusal names the field and the reason",
        arguments: [
            (#""env": ["A=1", "B"]"#, "process.env[1]: \"B\" is not a valid environment entry, NAME=value"),
            (#""env": ["=x"]"#, "process.env[0]: \"=x\" is not a valid environment entry, NAME=value"),
            (#""env": ["A="]"#, nil),
            (#""user": {"umask": 512}"#, "process.user.umask: expected an integer from 0 to 511, found 512"),
            (#""user": {"uid": 4294967295}"#, "process.user.uid: \"4294967295\" is not a valid id"),
            (
                #""user": {"additionalGids": [1, 4294967295]}"#,
                "process.user.additionalGids[1]: \"4294967295\" is not a valid id"
            ),
            (
                #""consoleSize": {"height": 70000, "width": 1}"#,
                "process.consoleSize.height: expected an integer from 0 to 65535, found 70000"
            ),
            (
                #""rlimits": [{"type": "RLIMIT_CPU", "hard": 1, "soft": 1}, {"type": "RLIMIT_CPU", "hard": 1, "soft": 1}]"#,
                "process.rlimits[1].type: duplicate rlimit \"RLIMIT_CPU\""
            ),
            (
                #""rlimits": [{"type": "RLIMIT_CPU", "hard": 1, "soft": 2}]"#,
                "process.rlimits[0]: the soft limit 2 is above the hard limit 1"
            ),
            (#""oomScoreAdj": 1001"#, "process.oomScoreAdj: expected an integer from -1000 to 1000, found 1001"),
            (
                #""scheduler": {"policy": "SCHED_OTHER", "nice": 20}"#,
                "process.scheduler.nice: expected an integer from -20 to 19, found 20"
            ),
            (
                #""scheduler": {"policy": "SCHED_OTHER", "priority": 2}"#,
                "process.scheduler.priority: is only possible with SCHED_FIFO or SCHED_RR"
            ),
            (
                #""scheduler": {"policy": "SCHED_RR", "deadline": 2}"#,
                "process.scheduler.deadline: is only possible with SCHED_DEADLINE"
            ),
            (
                #""ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 8}"#,
                "process.ioPriority.priority: expected an integer from 0 to 7, found 8"
            ),
            (#""capabilities": {"bounding": ["CAP_FLY"]}"#, nil),
        ])
    func process(field: String, error: String?) { #expect(failure(minimal(process: field)) == error) }

    @Test("Unknown capability names are listed once each")
    func unknownCapabilitiesAreTold() throws {
        let text = minimal(
            process: #""capabilities": {"bounding": ["CAP_FLY", "CAP_KILL"], "ambient": ["CAP_FLY", "kill"]}"#)
        #expect(try Spec.parse(bytes(text)).process?.capabilities?.unknownNames == ["CAP_FLY", "kill"])
    }

    @Test(
        "Linux fields are validated, and a refusal names the field and the reason",
        arguments: [
            (
                #""sysctl": {"net.ipv4.ip_forward": "1", "kernel.shmmax": "1", "fs.mqueue.msg_max": "1", "#
                    + #""kernel.domainname": "d", "net/ipv4/conf/eth0.1/forwarding": "1"}"#, nil
            ),
            (
                #""sysctl": {"kernel.hostname": "h"}"#,
                "linux.sysctl[\"kernel.hostname\"]: conflicts with the field hostname"
            ),
            (
                #""sysctl": {"vm.swappiness": "1"}"#,
                "linux.sysctl[\"vm.swappiness\"]: sysctl \"vm.swappiness\" is not in a separate kernel namespace"
            ),
            (
                #""sysctl": {"kernel.core_pattern": "|/x"}"#,
                "linux.sysctl[\"kernel.core_pattern\"]: "
                    + "sysctl \"kernel.core_pattern\" is not in a separate kernel namespace"
            ),
            (
                #""sysctl": {"net/../kernel/core_pattern": "|/x"}"#,
                "linux.sysctl[\"net/../kernel/core_pattern\"]: \"net/../kernel/core_pattern\" is not a valid sysctl"
            ),
            (
                #""sysctl": {"net.//.kernel": "|/x"}"#,
                "linux.sysctl[\"net.//.kernel\"]: \"net.//.kernel\" is not a valid sysctl"
            ),
            (#""sysctl": {"net": "1"}"#, "linux.sysctl[\"net\"]: \"net\" is not a valid sysctl"),
            (#""maskedPaths": ["/a", "b"]"#, "linux.maskedPaths[1]: \"b\" is not an absolute path"),
            (#""readonlyPaths": [""]"#, "linux.readonlyPaths[0]: must not be empty"),
            (#""cgroupsPath": "/a/../../b""#, "linux.cgroupsPath: \"/a/../../b\" must not contain \"..\""),
            (#""cgroupsPath": "/a/..b/c""#, nil),
            (#""rootfsPropagation": "loud""#, "linux.rootfsPropagation: unknown propagation \"loud\""),
            (
                #""uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]"#,
                "linux.uidMappings: needs a private user namespace in linux.namespaces"
            ),
            (
                #""timeOffsets": {"monotonic": {"secs": 1}}"#,
                "linux.timeOffsets: needs a private time namespace in linux.namespaces"
            ),
            (
                #""devices": [{"path": "dev/x", "type": "c"}]"#,
                "linux.devices[0].path: \"dev/x\" is not an absolute path"
            ),
            (
                #""devices": [{"path": "/dev/../x", "type": "c"}]"#,
                "linux.devices[0].path: \"/dev/../x\" must not contain \"..\""
            ),
            (
                #""devices": [{"path": "/dev/x", "type": "c", "major": -1}]"#,
                "linux.devices[0].major: expected an integer from 0 to 4095, found -1"
            ),
            (
                #""devices": [{"path": "/dev/x", "type": "b", "minor": 1048576}]"#,
                "linux.devices[0].minor: expected an integer from 0 to 1048575, found 1048576"
            ),
            (#""devices": [{"path": "/dev/x", "type": "p"}]"#, nil),
            (#""intelRdt": {"closID": "../x"}"#, "linux.intelRdt.closID: \"../x\" is not a valid class of service"),
        ])
    func linux(field: String, error: String?) { #expect(failure(minimal(linux: field)) == error) }

    @Test(
        "Invalid namespaces, and fields without the namespace they need, are refused",
        arguments: [
            (
                #"{"namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "pid"}]}"#,
                "linux.namespaces[2].type: duplicate namespace \"pid\""
            ),
            (
                #"{"namespaces": [{"type": "network", "path": "run/x"}]}"#,
                "linux.namespaces[0].path: \"run/x\" is not an absolute path"
            ),
            (
                #"{"sysctl": {"net.core.somaxconn": "1"}}"#,
                "linux.sysctl[\"net.core.somaxconn\"]: needs a private network namespace in linux.namespaces"
            ),
            (
                #"{"sysctl": {"kernel.sem": "1"}}"#,
                "linux.sysctl[\"kernel.sem\"]: needs a private ipc namespace in linux.namespaces"
            ),
            (
                #"{"maskedPaths": ["/proc/kcore"]}"#,
                "linux.maskedPaths: needs a private mount namespace in linux.namespaces"
            ),
        ])
    func namespaces(linux: String, error: String) {
        let text = """
            {"ociVersion": "1.0.0", "process": {"cwd": "/", "args": ["a"]}, "root": {"path": "r"}, "linux": \(linux)}
            """
        #expect(failure(text) == error)
    }

    @Test(
        "Resource limits are validated, and a refusal names the field and the reason",
        arguments: [
            (
                #""devices": [{"allow": true, "access": "rx"}]"#,
                "devices[0].access: \"rx\" is not a valid set of r, w and m"
            ),
            (#""devices": [{"allow": true}]"#, "devices[0].access: must not be empty"),
            (#""devices": [{"access": "r"}]"#, "devices[0].allow: is required"),
            (
                #""devices": [{"allow": true, "type": "p", "access": "r"}]"#,
                "devices[0].type: unknown device type \"p\""
            ),
            (#""memory": {"limit": -2}"#, "memory.limit: expected an integer from -1 to 9223372036854775807, found -2"),
            (#""memory": {"swap": 5}"#, "memory.swap: is only possible with a memory limit"),
            (
                #""memory": {"limit": 6, "swap": 5}"#,
                "memory.swap: expected an integer from 6 to 9223372036854775807, found 5"
            ),
            (#""memory": {"limit": 6, "swap": -1}"#, nil),
            (#""memory": {"swappiness": 101}"#, "memory.swappiness: expected an integer from 0 to 100, found 101"),
            (#""cpu": {"period": 10}"#, "cpu.period: expected an integer from 1000 to 1000000, found 10"),
            (#""cpu": {"quota": -1, "period": 100000, "cpus": "0-3,7"}"#, nil),
            (#""cpu": {"cpus": "0\n1"}"#, "cpu.cpus: \"0\\n1\" is not a valid list, as 0-3,7"),
            (#""pids": {"limit": -2}"#, "pids.limit: expected an integer from -1 to 9223372036854775807, found -2"),
            (#""unified": {"memory.high": "1"}"#, nil),
            (
                #""unified": {"../memory.high": "1"}"#,
                "unified[\"../memory.high\"]: \"../memory.high\" is not a valid cgroup file"
            ),
            (#""blockIO": {"weight": 5}"#, "blockIO.weight: expected an integer from 10 to 1000, found 5"),
        ])
    func resources(field: String, error: String?) {
        #expect(failure(minimal(linux: "\"resources\": {\(field)}")) == error.map { "linux.resources." + $0 })
    }

    @Test(
        "A seccomp profile that breaks a rule is refused by field and reason",
        arguments: [
            (
                #""defaultAction": "SCMP_ACT_NOTIFY""#,
                "defaultAction: \"SCMP_ACT_NOTIFY\" is not a valid default action"
            ),
            (
                #""defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 5000"#,
                "defaultErrnoRet: expected an integer from 0 to 4095, found 5000"
            ),
            (
                #""defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x""#,
                "listenerMetadata: is only possible with listenerPath"
            ),
            (
                #""defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_KILL"}]"#,
                "syscalls[0].names: must not be empty"
            ),
            (
                #""defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_NOTIFY"}]"#,
                "syscalls[0].action: is only possible with listenerPath"
            ),
            (
                #""defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_KILL", "#
                    + #""args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]}]"#,
                "syscalls[0].args[0].index: expected an integer from 0 to 5, found 6"
            ),
            (
                #""defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_KILL", "#
                    + #""args": [{"index": 5, "value": 0, "op": "SCMP_CMP_ISH"}]}]"#,
                "syscalls[0].args[0].op: unknown seccomp operator \"SCMP_CMP_ISH\""
            ),
        ])
    func seccomp(fields: String, error: String) {
        #expect(failure(minimal(linux: "\"seccomp\": {\(fields)}")) == "linux.seccomp." + error)
    }

    @Test("Both spellings of a sysctl name split into the same components")
    func sysctlComponents() {
        #expect(
            Spec.Linux.sysctlComponents("net.ipv4.conf.eth0/1.forwarding") == [
                "net", "ipv4", "conf", "eth0.1", "forwarding",
            ])
        #expect(
            Spec.Linux.sysctlComponents("net/ipv4/conf/eth0.1/forwarding") == [
                "net", "ipv4", "conf", "eth0.1", "forwarding",
            ])
        #expect(Spec.Linux.sysctlComponents("") == [""])
    }

    /// A combining mark after the slash makes one Swift character of both; the kernel sees a slash.
    @Test("Slashes in paths are found byte by byte, even before a combining mark")
    func pathsAreBytes() {
        #expect(failure(minimal(linux: "\"maskedPaths\": [\"/\u{301}a\"]")) == nil)
        #expect(failure(minimal(linux: "\"cgroupsPath\": \"a/\u{301}/../b\""))?.hasPrefix("linux.cgroupsPath") == true)
    }
}

extension String {
    func replacingFirst(_ old: String, with new: String) -> String {
        guard let range = firstRange(of: old) else { return self }
        return replacingCharacters(in: range, with: new)
    }

    private func replacingCharacters(in range: Range<String.Index>, with new: String) -> String {
        self[..<range.lowerBound] + new + self[range.upperBound...]
    }
}
