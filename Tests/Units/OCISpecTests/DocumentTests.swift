// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import OCISpec

/// The documents of real engines, which are the fuzzer's seeds too.
enum Document {
    static func bytes(_ name: String, source: String = #filePath) throws -> [UInt8] {
        let here = source.split(separator: "/").dropLast(3).joined(separator: "/")
        let path = "/\(here)/Fuzz/config/corpus/\(name).json"
        let file = unsafe try #require(fopen(path, "re"), "\(path) is missing")
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        // fread writes at most what `bytes` holds.
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, file) }
        return Array(bytes[..<count])
    }
}

@Suite("OCISpec: documents of real engines") struct Documents {
    @Test(
        "Configurations of real engines are valid, wholly supported and encoded without loss",
        arguments: ["runc-spec", "podman", "podman-privileged", "containerd", "kubernetes", "least"])
    func supportedWhole(name: String) throws {
        let spec = try Spec.parse(Document.bytes(name))
        try spec.validate()
        #expect(spec.unsupportedFields() == [])
        #expect(try Spec.parse(spec.encoded()) == spec)
    }

    /// runc wrote the one; what is read and written again is the same to the byte.
    @Test("A configuration written by runc is encoded to the same bytes")
    func writtenAsRuncWrites() throws {
        let original = try Document.bytes("runc-spec")
        let written = try Spec.parse(original).encoded()
        #expect(String(decoding: written, as: UTF8.self) == String(decoding: original, as: UTF8.self))
    }

    /// Every field of the runtime-spec, none lost. (Keys are compared in any order: the file has the spec's.)
    @Test("Every field of the runtime-spec survives parsing and encoding")
    func everyFieldIsKept() throws {
        let original = try Document.bytes("everything")
        let spec = try Spec.parse(original)
        #expect(sorted(try JSONParser.parse(spec.encoded())) == sorted(try JSONParser.parse(original)))
    }

    private func sorted(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members):
            .object(
                members.map { JSONMember(key: $0.key, value: sorted($0.value)) }
                    // Go leaves these out.
                    .filter { $0.value != .object([]) && $0.value != .array([]) && $0.value != .string("") }
                    .filter { ![.bool(false), .integer(negative: false, magnitude: 0)].contains($0.value) }
                    .sorted { $0.key < $1.key })
        case .array(let elements): .array(elements.map(sorted))
        default: value
        }
    }

    @Test("Each field that is not supported is listed by its path")
    func whatIsNotSupportedIsNamed() throws {
        let spec = try Spec.parse(Document.bytes("everything"))
        #expect(
            spec.unsupportedFields() == [
                "process.apparmorProfile",
                "process.scheduler.policy", "process.scheduler.nice", "process.scheduler.flags",
                "process.scheduler.runtime", "process.scheduler.deadline", "process.scheduler.period",
                "process.selinuxLabel", "process.ioPriority.class", "process.ioPriority.priority",
                "process.execCPUAffinity.initial", "process.execCPUAffinity.final",
                "mounts[2].uidMappings", "mounts[2].gidMappings",
                "linux.uidMappings", "linux.gidMappings",
                "linux.resources.memory.kernel", "linux.resources.memory.kernelTCP",
                "linux.resources.memory.swappiness", "linux.resources.memory.disableOOMKiller",
                "linux.resources.memory.checkBeforeUpdate",
                "linux.resources.cpu.burst", "linux.resources.cpu.realtimeRuntime",
                "linux.resources.cpu.realtimePeriod", "linux.resources.cpu.idle",
                "linux.resources.blockIO.weight", "linux.resources.blockIO.leafWeight",
                "linux.resources.blockIO.weightDevice", "linux.resources.blockIO.throttleReadBpsDevice",
                "linux.resources.blockIO.throttleWriteBpsDevice", "linux.resources.blockIO.throttleReadIOPSDevice",
                "linux.resources.blockIO.throttleWriteIOPSDevice",
                "linux.resources.hugepageLimits",
                "linux.resources.network.classID", "linux.resources.network.priorities",
                "linux.resources.rdma.mlx5_1.hcaHandles", "linux.resources.rdma.mlx5_1.hcaObjects",
                "linux.netDevices.eth1.name",
                "linux.seccomp.listenerPath", "linux.seccomp.listenerMetadata",
                "linux.mountLabel", "linux.intelRdt",
                "linux.memoryPolicy.mode", "linux.memoryPolicy.nodes", "linux.memoryPolicy.flags",
                "linux.personality.domain",
                "linux.timeOffsets.boottime.secs", "linux.timeOffsets.boottime.nanosecs",
                "linux.timeOffsets.monotonic.secs",
                "solaris.milestone", "windows.layerFolders",
                "vm.hypervisor.path", "vm.hypervisor.parameters",
                "vm.kernel.path", "vm.kernel.parameters", "vm.kernel.initrd",
                "vm.image.path", "vm.image.format",
                "vm.hwConfig.deviceTree", "vm.hwConfig.vcpus", "vm.hwConfig.memory", "vm.hwConfig.dtdevs",
                "vm.hwConfig.iomems", "vm.hwConfig.irqs",
                "freebsd.jail.parent",
                "mounts[2].options \"ridmap\"",
                "linux.namespaces[5].type \"user\"", "linux.namespaces[7].type \"time\"",
                "linux.seccomp.syscalls[0].action \"SCMP_ACT_NOTIFY\"",
                "linux.seccomp.flags \"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"",
            ])
    }

    @Test(
        "Empty fields, null fields and a bind mount without options are supported",
        arguments: [
            #""hooks": {"prestart": []}, "vm": {"kernel": {"path": ""}}, "windows": null, "zos": {}"#,
            #""mounts": [{"destination": "/a", "type": "bind", "source": "/b"}]"#,
        ])
    func whatSaysNothingIsNotRefused(more: String) throws {
        let spec = try Spec.parse(bytes(minimal(more, process: #""apparmorProfile": "", "ioPriority": null"#)))
        try spec.validate()
        #expect(spec.unsupportedFields() == [])
    }

    @Test("Unsupported fields pass only at their defaults")
    func defaultsAreNotRefused() throws {
        let linux = """
            "personality": {"domain": "LINUX"}, "mountLabel": "", "netDevices": {}, "timeOffsets": {},
            "resources": {"memory": {"kernel": -1, "useHierarchy": true, "disableOOMKiller": false},
                          "hugepageLimits": [{"pageSize": "2MB", "limit": 0}], "network": {"classID": 0}}
            """
        #expect(try Spec.parse(bytes(minimal(linux: linux))).unsupportedFields() == [])
        let asks = #""intelRdt": {}, "resources": {"memory": {"swappiness": 0}}"#
        #expect(
            try Spec.parse(bytes(minimal(linux: asks))).unsupportedFields()
                == ["linux.resources.memory.swappiness", "linux.intelRdt"])
    }

    /// What is refused by name is a field that exists, under that path.
    @Test("What is refused by name is a field that exists, under that path")
    func theTableNamesFieldsThatExist() throws {
        var patterns: Set<String> = []
        func collect(_ value: JSONValue, _ pattern: String) {
            patterns.insert(pattern)
            switch value {
            case .object(let members):
                for member in members {
                    collect(member.value, pattern.isEmpty ? member.key : "\(pattern).\(member.key)")
                }
            case .array(let elements): for element in elements { collect(element, pattern + "[]") }
            default: break
            }
        }
        collect(try JSONParser.parse(Document.bytes("everything")), "")
        let named = try Spec.parse(Document.bytes("everything")).unsupportedFields().map { path in
            String(path.prefix { $0 != " " }).replacing(#/\[[0-9]+\]/#, with: "[]")
        }
        #expect(Set(named).subtracting(patterns) == [])
    }
}
