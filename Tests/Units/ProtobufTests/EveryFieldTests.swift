// SPDX-License-Identifier: Apache-2.0
import SandboxPlan
import Testing

@testable import AgentProtocol
@testable import Protobuf
@testable import TaskProtocol

/// A field that is added to a .proto and forgotten in Swift would be lost on its way.
@Suite("Protobuf: every field of the protocols") struct EveryFieldTests {
    // MARK: The agent's

    /// What these fields take besides what a ``FullMessage`` has in any.
    private static let texts: [String: [UInt8]] = [
        "Streams.stdin_token": Array(0..<16), "Streams.stdout_token": Array(1..<17),
        "Streams.stderr_token": Array(2..<18), "StreamHello.token": Array(3..<19), "HostSocket.token": Array(4..<20),
        "Resolver.token": Array(5..<21),
        "NetworkInterface.hardware_address": Array(1...6), "InterfaceAddress.local": [10, 0, 0, 1],
        "InterfaceAddress.peer": [10, 0, 0, 2], "InterfaceAddress.broadcast": [10, 0, 0, 3],
        "Neighbour.address": Array(0..<16), "Neighbour.hardware_address": Array(2...7),
        "Route.destination": [10, 0, 0, 4], "Route.gateway": [10, 0, 0, 5], "Route.source": [10, 0, 0, 6],
        "RoutingRule.source": Array(1..<17), "RoutingRule.destination": Array(2..<18),
        "Process.arguments": [0x78, 0], "Process.environment": [0x79, 0], "Process.seccomp_program": Array(1...8),
    ]

    /// Each of two that exclude one another is in one of them. The time of an end is not read, as its comment says.
    private static let agentMessages = [
        ["Root.disk", "Exited.signal", "Exited.time_nanoseconds"],
        ["Root.shared_path", "Exited.code", "Exited.time_nanoseconds"],
    ].map { absent in
        FullMessage(
            absent: Set(absent), texts: texts, numbers: ["StreamHello.version": UInt64(AgentProtocol.version)])
    }

    @Test("Every field of a request, an answer and a stream's greeting comes back as it was sent", arguments: 0..<2)
    func everyFieldOfTheAgents(set: Int) throws {
        let messages = Self.agentMessages[set]
        for bytes in messages.bytes(of: DescribedMessage(RequestMessage.kind)) {
            let request = try RequestMessage(decoding: bytes)
            #expect(Array(try request.frame().dropFirst(4)) == bytes, "\(request.request.name)")
        }
        for bytes in messages.bytes(of: DescribedMessage(AnswerMessage.kind)) {
            let answer = try AnswerMessage(decoding: bytes)
            #expect(Array(try answer.frame().dropFirst(4)) == bytes, "\(answer.answer.field)")
        }
        for bytes in messages.bytes(of: DescribedMessage(StreamHello.kind)) {
            let token = try StreamHandshake.token(decoding: bytes)
            #expect(Array(try StreamHandshake.hello(token).dropFirst(4)) == bytes)
        }
    }

    @Test("The agent's messages have the fields of agent.proto and no others")
    func fieldsOfTheAgents() throws {
        let kinds = [RequestMessage.kind, AnswerMessage.kind, StreamHello.kind]
        let names = kinds.reduce(into: Set<String>()) { $0.formUnion(DescribedMessage($1).fieldNames) }
        #expect(names == (try ProtocolText("agent.proto").fieldNames))
    }

    // MARK: Containerd's

    private static let taskMessages: [any PackedTaskMessage.Type] = [
        AnyMessage.self, Timestamp.self, RPCRequest.self, RPCResponse.self, RPCStatus.self,
        // types
        RootfsMount.self, PlatformDescription.self, Metric.self, ProcessInfo.self,
        // tasks
        IDRequest.self, ProcessRequest.self, CreateTaskRequest.self, ExecProcessRequest.self, ResizePtyRequest.self,
        KillRequest.self, CloseIORequest.self, CheckpointTaskRequest.self, UpdateTaskRequest.self,
        ShutdownRequest.self, PidResponse.self, StateResponse.self, DeleteResponse.self, PidsResponse.self,
        WaitResponse.self, StatsResponse.self, ConnectResponse.self,
        // sandboxes
        CreateSandboxRequest.self, StartSandboxResponse.self, PlatformResponse.self, StopSandboxRequest.self,
        SandboxStatusRequest.self, SandboxStatusResponse.self, SandboxMetricsResponse.self,
        // events
        ForwardRequest.self, EventEnvelope.self, TaskCreate.self, TaskIO.self, TaskStart.self, TaskExit.self,
        TaskDelete.self, TaskNotice.self, TaskExecAdded.self, TaskExecStarted.self,
        // options
        RuncOptions.self, CheckpointOptions.self, ProcessDetails.self, CRIRuntimeOptions.self,
        // the start handshake
        BootstrapParams.self, BootstrapExtension.self, BootstrapResult.self,
        // figures
        CgroupV1.Metrics.self, CgroupV1.MemoryStat.self, CgroupV2.Metrics.self,
    ]

    @Test("Every field of a message of containerd's comes back as it was sent")
    func everyFieldOfContainerds() throws {
        for type in Self.taskMessages {
            for bytes in FullMessage().bytes(of: DescribedMessage(type.kind)) {
                #expect(try type.init(decoding: bytes).encoded() == bytes, "\(type)")
            }
        }
    }

    @Test("Containerd's messages have the fields of task.proto and no others")
    func fieldsOfContainerds() throws {
        let names = Self.taskMessages.reduce(into: Set<String>()) { $0.formUnion(DescribedMessage($1.kind).fieldNames) }
        #expect(names == (try ProtocolText("task.proto").fieldNames))
    }
}
