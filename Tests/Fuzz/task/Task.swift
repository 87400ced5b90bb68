// SPDX-License-Identifier: Apache-2.0
import TaskProtocol

/// Messages of containerd, or of whoever has its socket: the first byte chooses the kind, the rest is the message.
/// Each is refused, or reads the same when it is written again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTask(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    // libFuzzer gives `byteCount` readable bytes at `data` until this returns.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: byteCount))
    guard let kind = bytes.first else { return 0 }
    let kinds: [any TaskMessage.Type] = [
        CreateTaskRequest.self, ExecProcessRequest.self, ProcessRequest.self, IDRequest.self, KillRequest.self,
        ResizePtyRequest.self, CloseIORequest.self, CheckpointTaskRequest.self, UpdateTaskRequest.self,
        ShutdownRequest.self, CreateSandboxRequest.self, StopSandboxRequest.self, SandboxStatusRequest.self,
        BootstrapParams.self, AnyMessage.self, RuncOptions.self, CRIRuntimeOptions.self, CheckpointOptions.self,
        RPCRequest.self, RPCResponse.self, StateResponse.self, PidsResponse.self, ForwardRequest.self,
        TaskCreate.self, TaskExit.self, CgroupV1.Metrics.self, CgroupV2.Metrics.self, SandboxStatusResponse.self,
        BootstrapResult.self, ProcessDetails.self,
    ]
    kinds[Int(kind) % kinds.count].check(Array(bytes.dropFirst()))
    return 0
}

extension TaskMessage {
    fileprivate static func check(_ bytes: [UInt8]) {
        guard let message = try? Self(decoding: bytes) else { return }
        precondition((try? Self(decoding: message.encoded())) == message, "the message changed on the way")
    }
}
