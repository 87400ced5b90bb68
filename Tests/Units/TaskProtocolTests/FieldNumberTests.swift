// SPDX-License-Identifier: Apache-2.0
import TaskProtocol
import Testing

/// The numbers of the public protocol, by bytes put together by hand.
struct FieldNumberTests {
    func number(_ field: UInt64, _ value: UInt64) -> [UInt8] { WireBytes.number(field, value) }
    func text(_ field: UInt64, _ value: String) -> [UInt8] { WireBytes.text(field, value) }
    func bytes(_ field: UInt64, _ value: [UInt8]) -> [UInt8] { WireBytes.bytes(field, value) }

    /// Reads as `message`, which is written as the same bytes.
    func expect<Message: TaskMessage>(
        _ bytes: [UInt8], _ message: Message, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(try Message(decoding: bytes) == message, sourceLocation: sourceLocation)
        #expect(message.encoded() == bytes, sourceLocation: sourceLocation)
    }

    @Test("A create request has its public field numbers")
    func create() throws {
        let mount = text(1, "overlay") + text(2, "overlay") + text(3, "/") + text(4, "ro") + text(4, "lowerdir=/a")
        let any = text(1, TypeName.runcOptions) + bytes(2, text(7, "/run/r"))
        try expect(
            text(1, "c") + text(2, "/b") + bytes(3, mount) + number(4, 1) + text(5, "/i") + text(6, "/o")
                + text(7, "/e") + text(8, "cp") + text(9, "pcp") + bytes(10, any),
            CreateTaskRequest.with {
                $0.id = "c"
                $0.bundle = "/b"
                $0.rootfs = [
                    .with {
                        $0.type = "overlay"
                        $0.source = "overlay"
                        $0.target = "/"
                        $0.options = ["ro", "lowerdir=/a"]
                    }
                ]
                $0.terminal = true
                $0.stdin = "/i"
                $0.stdout = "/o"
                $0.stderr = "/e"
                $0.checkpoint = "cp"
                $0.parentCheckpoint = "pcp"
                $0.options = AnyMessage(type: TypeName.runcOptions, RuncOptions.with { $0.root = "/run/r" })
            })
    }

    @Test("Requests about processes have their public field numbers")
    func processes() throws {
        try expect(text(1, "c") + text(2, "e"), ProcessRequest.with { ($0.id, $0.execID) = ("c", "e") })
        try expect(text(1, "c"), IDRequest.with { $0.id = "c" })
        try expect(
            text(1, "c") + text(2, "e") + number(3, 1) + text(4, "i") + text(5, "o") + text(6, "r")
                + bytes(7, text(1, "t")),
            ExecProcessRequest.with {
                ($0.id, $0.execID, $0.terminal) = ("c", "e", true)
                ($0.stdin, $0.stdout, $0.stderr) = ("i", "o", "r")
                $0.spec = AnyMessage(type: "t", value: [])
            })
        try expect(
            text(1, "c") + text(2, "e") + number(3, 9) + number(4, 1),
            KillRequest.with { ($0.id, $0.execID, $0.signal, $0.all) = ("c", "e", 9, true) })
        try expect(
            text(1, "c") + text(2, "e") + number(3, 80) + number(4, 24),
            ResizePtyRequest.with { ($0.id, $0.execID, $0.width, $0.height) = ("c", "e", 80, 24) })
        try expect(
            text(1, "c") + text(2, "e") + number(3, 1),
            CloseIORequest.with { ($0.id, $0.execID, $0.stdin) = ("c", "e", true) })
        try expect(text(1, "c") + number(2, 1), ShutdownRequest.with { ($0.id, $0.now) = ("c", true) })
        try expect(
            text(1, "c") + text(2, "/p") + bytes(3, text(1, "t")),
            CheckpointTaskRequest.with {
                ($0.id, $0.path, $0.options) = ("c", "/p", AnyMessage(type: "t", value: []))
            })
        try expect(
            text(1, "c") + bytes(2, text(1, "t") + text(2, "{}")) + bytes(3, text(1, "a") + text(2, "1"))
                + bytes(3, text(1, "b") + text(2, "2")),
            UpdateTaskRequest.with {
                $0.id = "c"
                $0.resources = AnyMessage(type: "t", value: Array("{}".utf8))
                $0.annotations = ["b": "2", "a": "1"]
            })
    }

    @Test("Answers have their public field numbers")
    func answers() throws {
        let time = number(1, 1_700_000_000) + number(2, 5)
        let stamp = Timestamp(seconds: 1_700_000_000, nanoseconds: 5)
        try expect(number(1, 42), PidResponse.with { $0.pid = 42 })
        try expect(
            text(1, "c") + text(2, "/b") + number(3, 42) + number(4, 3) + text(5, "i") + text(6, "o") + text(7, "e")
                + number(8, 1) + number(9, 137) + bytes(10, time) + text(11, "x"),
            StateResponse.with {
                ($0.id, $0.bundle, $0.pid, $0.status) = ("c", "/b", 42, .stopped)
                ($0.stdin, $0.stdout, $0.stderr, $0.terminal) = ("i", "o", "e", true)
                ($0.exitStatus, $0.exitedAt, $0.execID) = (137, stamp, "x")
            })
        try expect(
            number(1, 42) + number(2, 1) + bytes(3, time),
            DeleteResponse.with { ($0.pid, $0.exitStatus, $0.exitedAt) = (42, 1, stamp) })
        try expect(
            number(1, 1) + bytes(2, time), WaitResponse.with { ($0.exitStatus, $0.exitedAt) = (1, stamp) })
        try expect(
            bytes(1, number(1, 4) + bytes(2, text(1, TypeName.processDetails) + bytes(2, text(1, "e"))))
                + bytes(1, number(1, 5)),
            PidsResponse.with {
                $0.processes = [
                    .with {
                        $0.pid = 4
                        $0.info = AnyMessage(
                            type: TypeName.processDetails, ProcessDetails.with { $0.execID = "e" })
                    },
                    .with { $0.pid = 5 },
                ]
            })
        try expect(
            number(1, 2) + number(2, 3) + text(3, "v"),
            ConnectResponse.with { ($0.shimPID, $0.taskPID, $0.version) = (2, 3, "v") })
        try expect(bytes(1, text(1, "t")), StatsResponse.with { $0.stats = AnyMessage(type: "t", value: []) })
    }

    @Test("Events and their envelope have their public field numbers")
    func events() throws {
        let time = bytes(5, number(1, 7))
        try expect(
            text(1, "c") + text(2, "e") + number(3, 4) + number(4, 137) + time + number(6, 1),
            TaskExit.with {
                ($0.containerID, $0.id, $0.pid, $0.exitStatus) = ("c", "e", 4, 137)
                ($0.exitedAt, $0.exitReason) = (Timestamp(seconds: 7, nanoseconds: 0), .outOfMemory)
            })
        try expect(
            text(1, "c") + number(2, 4) + number(3, 1) + bytes(4, number(2, 9)) + text(5, "e"),
            TaskDelete.with {
                ($0.containerID, $0.pid, $0.exitStatus, $0.id) = ("c", 4, 1, "e")
                $0.exitedAt = Timestamp(seconds: 0, nanoseconds: 9)
            })
        try expect(
            text(1, "c") + text(2, "/b") + bytes(3, text(1, "bind"))
                + bytes(4, text(1, "i") + text(2, "o") + text(3, "e") + number(4, 1)) + text(5, "k") + number(6, 4),
            TaskCreate.with {
                ($0.containerID, $0.bundle, $0.checkpoint, $0.pid) = ("c", "/b", "k", 4)
                $0.rootfs = [.with { $0.type = "bind" }]
                $0.io = .with { ($0.stdin, $0.stdout, $0.stderr, $0.terminal) = ("i", "o", "e", true) }
            })
        try expect(
            text(1, "c") + text(2, "e") + number(3, 4),
            TaskExecStarted.with { ($0.containerID, $0.execID, $0.pid) = ("c", "e", 4) })
        try expect(text(1, "c") + text(2, "e"), TaskExecAdded.with { ($0.containerID, $0.execID) = ("c", "e") })
        try expect(text(1, "c") + number(2, 4), TaskStart.with { ($0.containerID, $0.pid) = ("c", 4) })
        try expect(text(1, "c"), TaskNotice.with { $0.containerID = "c" })
        try expect(
            bytes(
                1,
                bytes(1, number(1, 7)) + text(2, "ns") + text(3, "/tasks/oom")
                    + bytes(4, text(1, TypeName.taskOOM) + bytes(2, text(1, "c")))),
            ForwardRequest.with {
                $0.envelope = .with {
                    $0.timestamp = Timestamp(seconds: 7, nanoseconds: 0)
                    ($0.namespace, $0.topic) = ("ns", EventTopic.taskOOM)
                    $0.event = AnyMessage(type: TypeName.taskOOM, TaskNotice.with { $0.containerID = "c" })
                }
            })
    }

    @Test("Sandbox messages have their public field numbers")
    func sandbox() throws {
        try expect(
            text(1, "s") + text(2, "/b") + bytes(3, text(2, "/src")) + bytes(4, text(1, "t")) + text(5, "/ns")
                + bytes(6, text(1, "k") + text(2, "v")),
            CreateSandboxRequest.with {
                ($0.sandboxID, $0.bundlePath, $0.netnsPath) = ("s", "/b", "/ns")
                $0.rootfs = [.with { $0.source = "/src" }]
                $0.options = AnyMessage(type: "t", value: [])
                $0.annotations = ["k": "v"]
            })
        try expect(
            number(1, 4) + bytes(2, number(1, 7)),
            StartSandboxResponse.with { ($0.pid, $0.createdAt) = (4, Timestamp(seconds: 7, nanoseconds: 0)) })
        try expect(
            bytes(1, text(1, "linux") + text(2, "amd64") + text(3, "v3")),
            PlatformResponse.with {
                $0.platform = .with { ($0.os, $0.architecture, $0.variant) = ("linux", "amd64", "v3") }
            })
        try expect(
            text(1, "s") + number(2, 10), StopSandboxRequest.with { ($0.sandboxID, $0.timeoutSeconds) = ("s", 10) })
        try expect(
            text(1, "s") + number(2, 1), SandboxStatusRequest.with { ($0.sandboxID, $0.verbose) = ("s", true) })
        try expect(
            text(1, "s") + number(2, 4) + text(3, "SANDBOX_READY") + bytes(4, text(1, "k") + text(2, "v"))
                + bytes(5, number(1, 1)) + bytes(6, number(1, 2)) + bytes(7, text(1, "t")),
            SandboxStatusResponse.with {
                ($0.sandboxID, $0.pid, $0.state, $0.info) = ("s", 4, SandboxState.ready, ["k": "v"])
                $0.createdAt = Timestamp(seconds: 1, nanoseconds: 0)
                $0.exitedAt = Timestamp(seconds: 2, nanoseconds: 0)
                $0.extra = AnyMessage(type: "t", value: [])
            })
        try expect(
            bytes(1, bytes(1, number(1, 1)) + bytes(2, text(1, "t"))),
            SandboxMetricsResponse.with {
                $0.metrics = .with {
                    $0.timestamp = Timestamp(seconds: 1, nanoseconds: 0)
                    $0.data = AnyMessage(type: "t", value: [])
                }
            })
    }

    @Test("Bootstrap messages and runtime options have their public field numbers")
    func bootstrapAndOptions() throws {
        // -4 is written in ten bytes.
        try expect(
            text(1, "c") + text(2, "ns") + number(3, UInt64(bitPattern: -4)) + text(4, "2.3.0") + text(5, "t")
                + text(6, "g") + text(7, "/c") + bytes(8, bytes(1, text(1, "o"))) + text(9, "/s"),
            BootstrapParams.with {
                ($0.instanceID, $0.namespace, $0.logLevel, $0.containerdVersion) = ("c", "ns", -4, "2.3.0")
                ($0.containerdTTRPCAddress, $0.containerdGRPCAddress, $0.containerdBinary) = ("t", "g", "/c")
                $0.extensions = [.with { $0.value = AnyMessage(type: "o", value: []) }]
                $0.socketDir = "/s"
            })
        try expect(
            number(1, 3) + text(2, "unix:///x") + text(3, "ttrpc") + bytes(5, text(1, "k") + text(2, "v")),
            BootstrapResult.with {
                ($0.version, $0.address, $0.protocol, $0.metadata) = (3, "unix:///x", "ttrpc", ["k": "v"])
            })
        try expect(
            number(1, 1) + number(2, 1) + text(3, "/cg") + number(4, 5) + number(5, 6) + text(6, "b") + text(7, "/r")
                + number(9, 1) + text(12, "a") + number(13, 3),
            RuncOptions.with {
                ($0.noPivotRoot, $0.noNewKeyring, $0.shimCgroup, $0.ioUID, $0.ioGID) = (true, true, "/cg", 5, 6)
                ($0.binaryName, $0.root, $0.systemdCgroup, $0.taskAPIAddress) = ("b", "/r", true, "a")
                $0.taskAPIVersion = 3
            })
        try expect(
            text(1, "t") + text(2, "/etc/x") + text(3, "a = 1"),
            CRIRuntimeOptions.with {
                ($0.typeURL, $0.configPath, $0.configBody) = ("t", "/etc/x", Array("a = 1".utf8))
            })
        try expect(
            number(1, 1) + number(2, 1) + number(3, 1) + number(4, 1) + number(5, 1) + text(6, "net") + text(7, "soft")
                + text(8, "/i") + text(9, "/w"),
            CheckpointOptions.with {
                ($0.exit, $0.openTCP, $0.externalUnixSockets, $0.terminal, $0.fileLocks) = (
                    true, true, true, true, true
                )
                ($0.emptyNamespaces, $0.cgroupsMode, $0.imagePath, $0.workPath) = (["net"], "soft", "/i", "/w")
            })
    }

    @Test("RPC requests and responses have their public field numbers")
    func rpc() throws {
        try expect(
            text(1, "s") + text(2, "m") + bytes(3, [1, 2]) + number(4, 5),
            RPCRequest.with { ($0.service, $0.method, $0.payload, $0.timeoutNanoseconds) = ("s", "m", [1, 2], 5) })
        try expect(
            bytes(1, number(1, 5) + text(2, "no")) + bytes(2, [1]),
            RPCResponse.with {
                $0.status = .with { ($0.code, $0.message) = (5, "no") }
                $0.payload = [1]
            })
    }
}
