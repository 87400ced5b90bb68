// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target speaks Swift 6, marks what is unsafe, and builds without a warning.
let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// A library room: `name` is the module, `path` its folder below Sources.
func room(_ name: String, _ path: String, _ imports: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: imports, path: "Sources/\(path)", swiftSettings: house)
}

/// A program: a folder whose main.swift is one line.
func program(
    _ name: String, _ path: String, _ imports: [Target.Dependency], settings: [SwiftSetting] = []
) -> Target {
    .executableTarget(name: name, dependencies: imports, path: "Sources/\(path)", swiftSettings: house + settings)
}

/// The tests of one room, in Tests/<room>Tests.
func tests(_ name: String, _ imports: [Target.Dependency]) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: imports, path: "Tests/\(name)Tests", swiftSettings: house)
}

let package = Package(
    name: "fc-runc",
    products: [
        .executable(name: "fc-runc", targets: ["fc-runc"]),
        .executable(name: "fc-proxy", targets: ["fc-proxy"]),
        .executable(name: "fc-jailer", targets: ["fc-jailer"]),
        .executable(name: "fc-vmm", targets: ["fc-vmm"]),
        .executable(name: "fc-fsd", targets: ["fc-fsd"]),
        .executable(name: "fc-agent", targets: ["fc-agent"]),
        .executable(name: "containerd-shim-fc-runc-v2", targets: ["containerd-shim-fc-runc-v2"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        // C, and the libraries of the system.
        .target(name: "CLinux", path: "Sources/Sandbox/CLinux"),
        .systemLibrary(
            name: "CSeccomp", path: "Sources/Sandbox/CSeccomp", pkgConfig: "libseccomp",
            providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(
            name: "CCapability", path: "Sources/Sandbox/CCapability", pkgConfig: "libcap",
            providers: [.apt(["libcap-dev"])]),

        // What the document says, and the plain values everything below it works from.
        room("OCISpec", "OCISpec"),
        room("SandboxPlan", "Sandbox/SandboxPlan"),

        // The host's kernel.
        room("Linux", "Sandbox/Linux", ["CLinux"]),
        room("Capabilities", "Sandbox/Capabilities", ["Linux", "CCapability"]),
        room("Seccomp", "Sandbox/Seccomp", ["Linux", "CSeccomp"]),
        room("Cgroup", "Sandbox/Cgroup", ["Linux"]),

        // Guest memory, virtqueues and the devices on them.
        room("GuestMemory", "Sandbox/GuestMemory", ["CLinux", "Linux"]),
        room("Virtio", "Sandbox/Virtio", ["GuestMemory", "Metrics", "Linux", "CLinux"]),
        room("VhostUser", "Sandbox/VhostUser", ["Virtio", "GuestMemory", "Metrics", "Linux", "CLinux"]),
        room("Vsock", "Sandbox/Devices/Vsock", ["Virtio", "GuestMemory", "Metrics", "Linux", "CLinux"]),
        room("FileSystem", "Sandbox/Devices/FileSystem", ["Virtio", "GuestMemory", "Linux", "CLinux"]),

        room("Metrics", "Sandbox/Metrics"),
        room("RateLimiter", "Sandbox/RateLimiter"),
        room("Block", "Sandbox/Devices/Block", ["Virtio", "RateLimiter", "Metrics", "GuestMemory", "Linux", "CLinux"]),
        room("Net", "Sandbox/Devices/Net", ["Virtio", "RateLimiter", "Metrics", "GuestMemory", "Linux", "CLinux"]),
        room(
            "Entropy", "Sandbox/Devices/Entropy",
            ["Virtio", "RateLimiter", "Metrics", "GuestMemory", "Linux", "CLinux"]),
        room("Balloon", "Sandbox/Devices/Balloon", ["Virtio", "Metrics", "GuestMemory", "Linux", "CLinux"]),
        room("Serial", "Sandbox/Devices/Serial", ["Metrics", "Linux"]),

        // The machine that those devices are in: its processors, and what it starts with.
        room("KVM", "Sandbox/KVM", ["Linux", "CLinux"]),
        room("Boot", "Sandbox/Boot", ["GuestMemory", "Linux", "CLinux"]),

        // The engines, and the jail they run in.
        room(
            "VMM", "Sandbox/VMM",
            [
                "Vsock", "Block", "Net", "Entropy", "Balloon", "Serial", "KVM", "Boot", "RateLimiter", "Metrics",
                "VhostUser", "Virtio", "GuestMemory", "SandboxPlan", "Linux", "CLinux",
            ]),
        room("KVMEngine", "Sandbox/KVMEngine", ["Engine", "SandboxPlan", "Linux"]),
        room("Engine", "Sandbox/Engine", ["SandboxPlan", "Cgroup", "Linux", "CLinux"]),
        room("QEMU", "Sandbox/QEMU", ["Engine", "SandboxPlan", "Linux"]),
        room("Jailer", "Sandbox/Jailer", ["SandboxPlan", "Capabilities", "Cgroup", "Linux", "CLinux"]),

        // The guest agent and the protocol it is reached by.
        .target(
            name: "CAgentProtocol", dependencies: ["CProtobuf"], path: "Sources/Agent/CAgentProtocol",
            exclude: ["agent.proto"]),
        .systemLibrary(
            name: "CProtobuf", path: "Sources/Agent/CProtobuf", pkgConfig: "libprotobuf-c",
            providers: [.apt(["libprotobuf-c-dev"])]),
        .target(name: "CAgentStart", path: "Sources/Agent/CAgentStart"),
        room("AgentProtocol", "Agent/AgentProtocol", ["CAgentProtocol", "CProtobuf", "SandboxPlan"]),
        room("AgentClient", "Agent/AgentClient", ["AgentProtocol", "SandboxPlan", "Linux", "CLinux"]),
        room(
            "AgentCore", "Agent/AgentCore",
            ["AgentProtocol", "SandboxPlan", "Capabilities", "Linux", "CLinux"]),

        // The shim: ttrpc, and what containerd and a shim say over it.
        .target(
            name: "CTaskProtocol", dependencies: ["CProtobuf"], path: "Sources/Shim/CTaskProtocol",
            exclude: ["task.proto"]),
        room("TaskProtocol", "Shim/TaskProtocol", ["CTaskProtocol", "CProtobuf"]),
        room("TTRPC", "Shim/TTRPC", ["TaskProtocol", "Linux"]),
        room(
            "TaskService", "Shim/TaskService",
            [
                "TTRPC", "TaskProtocol", "Handshake", "TaskIO", "TaskRootfs", "Sandbox", "Planning", "Configuration",
                "RuntimeState",
                "AgentClient", "AgentProtocol", "Cgroup", "OCISpec", "SandboxPlan", "Linux", "CLinux",
            ]),

        // The runtime: one verb a file.
        room("Planning", "Sandbox/Planning", ["OCISpec", "SandboxPlan", "Capabilities", "Seccomp"]),
        room("RuntimeState", "Sandbox/RuntimeState", ["OCISpec", "Linux"]),
        room("ProcessProxy", "Sandbox/ProcessProxy", ["AgentProtocol", "SandboxPlan", "Linux", "CLinux"]),
        room(
            "Sandbox", "Sandbox/Lifecycle",
            [
                "OCISpec", "SandboxPlan", "Planning", "RuntimeState", "AgentClient", "Engine", "QEMU", "KVMEngine",
                "Jailer", "Cgroup",
                "Linux",
            ]),

        // The shim's parts.
        .systemLibrary(
            name: "CNettle", path: "Sources/Shim/CNettle", pkgConfig: "nettle", providers: [.apt(["nettle-dev"])]),
        room("Handshake", "Shim/Handshake", ["TaskProtocol", "OCISpec", "Linux", "CNettle"]),
        room("TaskIO", "Shim/TaskIO", ["Linux"]),
        room("TaskRootfs", "Shim/TaskRootfs", ["Linux", "CLinux"]),
        // fc-runc.toml, and what it comes to. TOMLKit brings Foundation along. A method of it taken for one of Swift's
        // would link it: 43 MB.
        .target(
            name: "Configuration",
            dependencies: ["Sandbox", "Engine", "Linux", .product(name: "TOMLKit", package: "TOMLKit")],
            path: "Sources/Sandbox/Configuration",
            swiftSettings: house + [.enableUpcomingFeature("MemberImportVisibility")]),

        // The programs.
        program("fc-vmm", "Sandbox/fc-vmm", ["VMM"]),
        program("fc-fsd", "Sandbox/fc-fsd", ["FileSystem", "VhostUser"]),
        program("fc-jailer", "Sandbox/fc-jailer", ["Jailer"]),
        program("fc-proxy", "Sandbox/fc-proxy", ["ProcessProxy"]),
        program("fc-agent", "Agent/fc-agent", ["AgentCore", "CAgentStart"]),
        program(
            "containerd-shim-fc-runc-v2", "Shim/containerd-shim-fc-runc-v2", ["TaskService"],
            settings: [.enableUpcomingFeature("MemberImportVisibility")]),
        program(
            "fc-runc", "fc-runc",
            [
                "Configuration", "Sandbox", "RuntimeState", "Engine", "AgentProtocol", "OCISpec", "Linux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            // As in Configuration, whose TOMLKit comes along.
            settings: [.enableUpcomingFeature("MemberImportVisibility")]),

        // A driver without a guest, for tests, benchmarks and fuzzers.
        .target(
            name: "TestSupport", dependencies: ["KVM", "VhostUser", "Virtio", "GuestMemory", "Linux", "CLinux"],
            path: "Tests/TestSupport", swiftSettings: house),
        .executableTarget(
            name: "virtqueue-bench", dependencies: ["TestSupport", "Virtio", "Linux"],
            path: "Tests/Benchmarks/virtqueue-bench", swiftSettings: house),
        tests("Linux", ["Linux", "TestSupport", "CLinux"]),
        // A container with its root on a disk, for the integration tests.
        .executableTarget(
            name: "disk-run", dependencies: ["Sandbox", "Engine", "Linux"], path: "Tests/DiskRun", swiftSettings: house),
        // Exits through our loop and through one in C, on the host's KVM.
        .target(name: "CExitLoop", path: "Tests/Benchmarks/CExitLoop"),
        .executableTarget(
            name: "exits-bench", dependencies: ["CExitLoop", "KVM", "Linux", "CLinux"],
            path: "Tests/Benchmarks/exits-bench", swiftSettings: house),
        tests("KVM", ["KVM", "TestSupport", "Linux", "CLinux"]),
        tests("GuestMemory", ["GuestMemory", "TestSupport", "Linux"]),
        tests("Virtio", ["Virtio", "Metrics", "GuestMemory", "TestSupport", "Linux"]),
        tests("VhostUser", ["VhostUser", "Virtio", "GuestMemory", "TestSupport", "Linux"]),

        tests("RateLimiter", ["RateLimiter"]),
        tests("Block", ["Block", "RateLimiter", "TestSupport", "Virtio", "GuestMemory", "Metrics", "Linux", "CLinux"]),
        tests("Net", ["Net", "RateLimiter", "TestSupport", "Virtio", "GuestMemory", "Metrics", "Linux", "CLinux"]),
        tests("Layout", []),
        tests("Boot", ["Boot", "GuestMemory", "Linux"]),
        tests("OCISpec", ["OCISpec"]),
        tests("Seccomp", ["Seccomp"]),
        tests("ProcessProxy", ["ProcessProxy", "fc-proxy", "AgentProtocol", "Linux"]),
        tests("Sandbox", ["Sandbox", "Planning", "SandboxPlan", "OCISpec", "Linux"]),
        tests("Planning", ["Planning", "OCISpec", "SandboxPlan"]),
        tests("FileSystem", ["FileSystem", "TestSupport", "Virtio", "GuestMemory", "Linux", "CLinux"]),
        // Measures fc-fsd and its peer through their sockets.
        .executableTarget(
            name: "fs-bench", dependencies: ["TestSupport", "GuestMemory", "Linux", "CLinux"],
            path: "Tests/Benchmarks/fs-bench", exclude: ["run"], swiftSettings: house),
        tests("Cgroup", ["Cgroup", "Linux"]),
        tests("Jailer", ["Jailer", "fc-jailer", "SandboxPlan", "Linux"]),
        tests("Engine", ["Engine", "KVMEngine", "SandboxPlan", "Linux"]),
        tests("QEMU", ["QEMU", "Engine", "Jailer", "fc-jailer", "SandboxPlan", "Linux"]),
        tests("TaskService", ["TaskService", "TestSupport", "Handshake", "TTRPC", "TaskProtocol", "Linux"]),
        // Asks a shim what ctr of containerd 1.6 cannot ask for, for the integration tests.
        .executableTarget(
            name: "task-update", dependencies: ["TTRPC", "TaskProtocol", "Linux"], path: "Tests/TaskUpdate",
            swiftSettings: house),
        tests("RuntimeState", ["RuntimeState", "TestSupport", "OCISpec", "Linux"]),
        tests("Configuration", ["Configuration", "Sandbox", "SandboxPlan", "Engine", "Linux"]),
        tests(
            "fc-runc",
            ["fc-runc", "Configuration", "Sandbox", "RuntimeState", "Engine", "AgentProtocol", "OCISpec", "Linux"]),
        tests("AgentProtocol", ["AgentProtocol", "SandboxPlan"]),
        tests("TaskProtocol", ["TaskProtocol"]),
        tests("TTRPC", ["TTRPC", "TaskProtocol", "Linux"]),
        .executableTarget(
            name: "AgentUnderTest", dependencies: ["AgentCore", "Linux"], path: "Tests/AgentUnderTest",
            swiftSettings: house),
        tests(
            "AgentCore",
            ["AgentCore", "AgentClient", "AgentProtocol", "AgentUnderTest", "SandboxPlan", "Linux", "CLinux"]),
        tests("AgentClient", ["AgentClient", "AgentProtocol", "SandboxPlan", "Linux"]),

        // A guest's vsock driver for tests, and what is tested with it.
        .target(
            name: "VsockDriver", dependencies: ["Vsock", "Virtio", "GuestMemory", "Linux"], path: "Tests/VsockDriver",
            swiftSettings: house),
        tests("Vsock", ["Vsock", "VsockDriver", "TestSupport", "Metrics", "Virtio", "GuestMemory", "Linux", "CLinux"]),
        tests(
            "VMM",
            [
                "VMM", "KVM", "Boot", "Metrics", "Serial", "VsockDriver", "Vsock", "VhostUser", "Virtio", "GuestMemory",
                "TestSupport", "RateLimiter", "SandboxPlan", "Linux",
            ]),
        tests("Serial", ["Serial", "Metrics", "Linux"]),
        tests("Handshake", ["Handshake", "TestSupport", "HandshakeUnderTest", "TaskProtocol", "OCISpec", "Linux"]),
        .executableTarget(
            name: "HandshakeUnderTest", dependencies: ["Handshake", "Linux"], path: "Tests/HandshakeUnderTest",
            swiftSettings: house),
        tests("TaskIO", ["TaskIO", "TestSupport", "Linux", "CLinux"]),
        tests("TaskRootfs", ["TaskRootfs", "TestSupport", "Linux"]),
        tests("Entropy", ["Entropy", "RateLimiter", "Metrics", "TestSupport", "Virtio", "GuestMemory", "Linux"]),
        tests("Balloon", ["Balloon", "Metrics", "TestSupport", "Virtio", "GuestMemory", "Linux"]),
        .executableTarget(
            name: "vsock-bench", dependencies: ["Vsock", "VsockDriver", "TestSupport", "Linux"],
            path: "Tests/Benchmarks/vsock-bench", swiftSettings: house),
    ]
)
