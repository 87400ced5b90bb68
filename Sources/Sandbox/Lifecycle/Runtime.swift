// SPDX-License-Identifier: Apache-2.0
public import Engine
import RuntimeState

/// Where fc-runc's own parts lie, as absolute paths.
public struct Parts: Hashable, Sendable {
    /// The directory of fc-jailer, fc-proxy, fc-vmm and fc-fsd.
    public var programs: String
    public var kernel: String
    public var initramfs: String
    /// qemu-system-x86_64.
    public var qemu: String

    public init(programs: String, kernel: String, initramfs: String, qemu: String) {
        self.programs = programs
        self.kernel = kernel
        self.initramfs = initramfs
        self.qemu = qemu
    }

    func program(_ name: String) -> String { "\(programs)/\(name)" }
}

/// What holds for every verb: the global flags and the configuration file.
public struct RuntimeOptions: Sendable {
    /// The directory that keeps containers' states.
    public var root: String
    public var engine: EngineKind
    public var parts: Parts
    /// The machine's memory before a container's limit asks for more, in bytes.
    public var memoryByteCount: UInt64
    /// The machine's processors where the document sets no CPU quota.
    public var vcpuCount: Int
    /// The memory of a pod's machine where nothing is said of the pod, in bytes, and its processors.
    public var podMemoryByteCount: UInt64
    public var podVCPUCount: Int
    /// How long a guest may take to start its agent.
    public var bootTimeoutSeconds: Int64
    /// Told what a person may want to know; one line each.
    public var log: @Sendable (LogLevel, String) -> Void

    public init(
        root: String, engine: EngineKind, parts: Parts, memoryByteCount: UInt64, vcpuCount: Int,
        podMemoryByteCount: UInt64 = 2 << 30, podVCPUCount: Int = 1, bootTimeoutSeconds: Int64,
        log: @escaping @Sendable (LogLevel, String) -> Void
    ) {
        self.root = root
        self.engine = engine
        self.parts = parts
        self.memoryByteCount = memoryByteCount
        self.vcpuCount = vcpuCount
        self.podMemoryByteCount = podMemoryByteCount
        self.podVCPUCount = podVCPUCount
        self.bootTimeoutSeconds = bootTimeoutSeconds
        self.log = log
    }
}

public enum LogLevel: String, Sendable {
    case debug, info, warning, error
}

/// The runtime: one verb of the OCI runtime-spec (runtime.md#operations) or of runc a file.
public struct Runtime: Sendable {
    let options: RuntimeOptions
    let states: StateRoot

    public init(_ options: RuntimeOptions) {
        self.options = options
        states = StateRoot(path: options.root)
    }

    func log(_ level: LogLevel, _ message: String) { options.log(level, message) }
}
