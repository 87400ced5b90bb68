// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import OCISpec

@Suite("OCISpec: states, features and templates") struct Output {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("A state is encoded as runc prints it")
    func stateAsRuncPrintsIt() throws {
        var state = State(id: "c1", pid: 42, status: .running, bundle: "/b")
        state.ociVersion = "1.0.2-dev"
        state.rootfs = "/b/rootfs"
        state.created = "2024-02-29T12:00:00.5Z"
        state.annotations = ["k": "<v>"]
        #expect(
            text(state.encoded()) == """
                {
                  "ociVersion": "1.0.2-dev",
                  "id": "c1",
                  "pid": 42,
                  "status": "running",
                  "bundle": "/b",
                  "rootfs": "/b/rootfs",
                  "created": "2024-02-29T12:00:00.5Z",
                  "annotations": {
                    "k": "\\u003cv\\u003e"
                  },
                  "owner": ""
                }
                """)
        #expect(try State.parse(state.encoded()) == state)
    }

    @Test("A list of states is encoded as runc prints it, an empty one as null")
    func lists() {
        #expect(text(State.encoded(list: [])) == "null\n")
        let one = State(id: "a", pid: 0, status: .stopped, bundle: "/b")
        #expect(
            text(State.encoded(list: [one]))
                == #"[{"ociVersion":"1.3.0","id":"a","pid":0,"status":"stopped","bundle":"/b","rootfs":"","created":"","#
                + #""owner":""}]"# + "\n")
    }

    @Test("A state with an unknown status is refused")
    func unknownStatus() {
        let text = #"{"ociVersion": "1.0.0", "id": "a", "status": "asleep", "bundle": "/b"}"#
        #expect(throws: SpecError("status", .unknown(kind: "status", name: "asleep"))) { try State.parse(bytes(text)) }
    }

    @Test("The features document lists what is supported and nothing else")
    func featuresAreWhatIsSupported() throws {
        let features = Features(annotations: ["fc-runc.version": "1"])
        let written = try Features(json: JSONParser.parse(features.encoded()))
        #expect(written == features)
        #expect(features.ociVersionMin == "1.0.0")
        #expect(features.linux.namespaces == ["cgroup", "ipc", "mount", "network", "pid", "uts"])
        #expect(features.linux.capabilities.count == 41)
        #expect(!features.mountOptions.contains("idmap"))
        #expect(features.mountOptions.contains("rbind"))
        #expect(!features.linux.seccomp.actions.contains("SCMP_ACT_NOTIFY"))
        #expect(!features.linux.seccomp.archs.contains("SCMP_ARCH_M68K"))
        #expect(features.linux.seccomp.archs.contains("SCMP_ARCH_X86_64"))
        #expect(
            text(features.encoded()).hasPrefix(
                "{\n    \"ociVersionMin\": \"1.0.0\",\n    \"ociVersionMax\": \"1.3.0\",\n    \"hooks\": [\n"))
        #expect(
            features.hooks == [
                "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
            ])
        // What is promised is taken, what is refused is not promised.
        for name in features.linux.namespaces {
            let linux = #"{"ociVersion": "1.0.0", "linux": {"namespaces": [{"type": "\#(name)"}]}}"#
            #expect(try Spec.parse(bytes(linux)).unsupportedFields() == [])
        }
    }

    @Test("A seccomp architecture outside the features is valid but not supported")
    func anArchitectureThatIsNotPromised() throws {
        let seccomp = #""seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_M68K"]}"#
        let spec = try Spec.parse(bytes(minimal(linux: seccomp)))
        try spec.validate()
        #expect(spec.unsupportedFields() == ["linux.seccomp.architectures \"SCMP_ARCH_M68K\""])
    }

    @Test("The template configuration is valid and wholly supported")
    func templateIsSupported() throws {
        let spec = Spec.template()
        try spec.validate()
        #expect(spec.unsupportedFields() == [])
        #expect(try Spec.parse(spec.encoded()) == spec)
    }

    /// Between runc 1.1 and us: the version, no ambient capabilities and one more masked path (as runc 1.2), and
    /// the cgroup namespace that runc adds on cgroup v2.
    @Test("The template configuration is runc's, apart from the known differences")
    func templateIsRuncs() throws {
        var runc = try Spec.parse(Document.bytes("runc-spec"))
        runc.ociVersion = "1.3.0"
        runc.process?.capabilities?.ambient = []
        runc.linux?.maskedPaths.append("/sys/devices/virtual/tpm")
        runc.linux?.namespaces.append(Spec.Linux.Namespace(type: .cgroup))
        #expect(text(Spec.template().encoded()) == text(runc.encoded()))
    }

    @Test("The rootless template maps the caller's ids and sets no resources")
    func rootlessTemplate() throws {
        let spec = Spec.rootlessTemplate(uid: 1000, gid: 100)
        try spec.validate()
        #expect(spec.linux?.resources == nil)
        #expect(spec.linux?.uidMappings == [Spec.Linux.IDMapping(containerID: 0, hostID: 1000, size: 1)])
        #expect(spec.linux?.gidMappings == [Spec.Linux.IDMapping(containerID: 0, hostID: 100, size: 1)])
        #expect(spec.mounts[5].options == ["rbind", "nosuid", "noexec", "nodev", "ro"])
        #expect(!spec.mounts[2].options.contains("gid=5"))
        #expect(spec.linux?.namespaces.map(\.type) == [.pid, .ipc, .uts, .mount, .cgroup, .user])
    }
}
