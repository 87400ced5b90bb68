// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

/// Every Swift target speaks Swift 6, marks what is unsafe, and builds without a warning.
let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// What is a processor architecture's alone lies in folders of its name; those of others than the host's are left out.
#if arch(x86_64)
    let otherArchitectures: [String] = []
#else
    let otherArchitectures = ["x86_64"]
#endif

/// A library room: `name` is the module, `path` its folder below Sources.
///
/// - Parameter isArchitectural: it has a folder for each architecture.
func room(
    _ name: String, _ path: String, _ imports: [Target.Dependency] = [], isArchitectural: Bool = false
) -> Target {
    .target(
        name: name, dependencies: imports, path: "Sources/\(path)",
        exclude: isArchitectural ? otherArchitectures : [], swiftSettings: house)
}

/// A program: a folder whose main.swift is one line.
func program(
    _ name: String, _ path: String, _ imports: [Target.Dependency], settings: [SwiftSetting] = []
) -> Target {
    .executableTarget(name: name, dependencies: imports, path: "Sources/\(path)", swiftSettings: house + settings)
}

/// The tests of one room, in Tests/Units/<room>Tests.
func tests(_ name: String, _ imports: [Target.Dependency]) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: imports, path: "Tests/Units/\(name)Tests", swiftSettings: house)
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
        room("Linux", "Sandbox/Linux", ["CLinux", "CCapability"]),
        room("SocketBridge", "Sandbox/SocketBridge", ["Linux"]),
        room("Seccomp", "Sandbox/Seccomp", ["Linux", "CSeccomp"]),
        room("Cgroup", "Sandbox/Cgroup", ["OCISpec", "Linux", "CLinux"]),
        room("Overlay", "Sandbox/Overlay", ["Linux"]),
        room("Netlink", "Sandbox/Netlink", ["SandboxPlan", "Linux"]),
        room("HostNetwork", "Sandbox/HostNetwork", ["Netlink", "SandboxPlan", "Linux"]),

        // The command lines of the programs that are started: both ends use it.
        room("ProgramArguments", "Sandbox/ProgramArguments", ["SandboxPlan", "Linux", "CLinux"]),

        // Guest memory, virtqueues and the devices on them.
        room("GuestMemory", "Sandbox/GuestMemory", ["CLinux", "Linux"]),
        room("Virtio", "Sandbox/Virtio", ["GuestMemory", "SandboxPlan", "Linux", "CLinux"]),
        room("VhostUser", "Sandbox/VhostUser", ["Virtio", "GuestMemory", "Linux"]),
        room("Vsock", "Sandbox/Devices/Vsock", ["Virtio", "GuestMemory", "Linux", "CLinux"]),
        room(
            "FileSystem", "Sandbox/Devices/FileSystem", ["Virtio", "GuestMemory", "SandboxPlan", "Linux", "CLinux"]),

        room("Block", "Sandbox/Devices/Block", ["Virtio", "GuestMemory", "SandboxPlan", "Linux", "CLinux"]),
        room("Net", "Sandbox/Devices/Net", ["Virtio", "GuestMemory", "SandboxPlan", "Linux", "CLinux"]),
        room(
            "Entropy", "Sandbox/Devices/Entropy",
            ["Virtio", "GuestMemory", "SandboxPlan", "Linux", "CLinux"]),
        room("Balloon", "Sandbox/Devices/Balloon", ["Virtio", "GuestMemory", "Linux", "CLinux"]),
        room("Serial", "Sandbox/Devices/Serial", ["Virtio", "Linux"]),

        // The machine that those devices are in: its processors, and what it starts with.
        room("KVM", "Sandbox/KVM", ["Linux", "CLinux"], isArchitectural: true),
        room("Boot", "Sandbox/Boot", ["GuestMemory", "Linux", "CLinux"], isArchitectural: true),

        // The engines, and the jail they run in.
        room(
            "VMM", "Sandbox/VMM",
            [
                "Vsock", "Block", "Net", "Entropy", "Balloon", "Serial", "KVM", "Boot",
                "VhostUser", "Virtio", "GuestMemory", "ProgramArguments", "SandboxPlan", "Linux", "CLinux",
            ], isArchitectural: true),
        room("Engine", "Sandbox/Engine", ["ProgramArguments", "SandboxPlan", "Cgroup", "Linux", "CLinux"]),
        room("Jailer", "Sandbox/Jailer", ["SandboxPlan", "Linux", "CLinux"]),

        // Messages on the wire: what is generated of the .proto, and what carries Swift values there and back.
        .systemLibrary(
            name: "CProtobuf", path: "Sources/Protobuf/CProtobuf", pkgConfig: "libprotobuf-c",
            providers: [.apt(["libprotobuf-c-dev"])]),
        .target(
            name: "CAgentProtocol", dependencies: ["CProtobuf"], path: "Sources/Protobuf/Generated/CAgentProtocol"),
        .target(name: "CTaskProtocol", dependencies: ["CProtobuf"], path: "Sources/Protobuf/Generated/CTaskProtocol"),
        room("Protobuf", "Protobuf/Exchange", ["CProtobuf"]),

        // The guest agent and the protocol it is reached by.
        .target(name: "CAgentStart", path: "Sources/Agent/CAgentStart"),
        room("AgentProtocol", "Agent/AgentProtocol", ["Protobuf", "CAgentProtocol", "SandboxPlan"]),
        room("AgentClient", "Agent/AgentClient", ["AgentProtocol", "Protobuf", "SandboxPlan", "Linux"]),
        room("DNS", "Agent/DNS"),
        room(
            "AgentCore", "Agent/AgentCore",
            ["AgentProtocol", "Protobuf", "SandboxPlan", "SocketBridge", "Netlink", "DNS", "Linux", "CLinux"]),

        // The shim: ttrpc, and what containerd and a shim say over it.
        room("TaskProtocol", "Shim/TaskProtocol", ["Protobuf", "CTaskProtocol"]),
        room("TTRPC", "Shim/TTRPC", ["TaskProtocol", "Linux"]),

        // The runtime: one verb a file.
        room("Planning", "Sandbox/Planning", ["OCISpec", "SandboxPlan", "Seccomp", "Linux"]),
        room("RuntimeState", "Sandbox/RuntimeState", ["OCISpec", "SandboxPlan", "Linux"]),
        room(
            "ProcessProxy", "Sandbox/ProcessProxy",
            ["AgentProtocol", "ProgramArguments", "SandboxPlan", "SocketBridge", "Linux", "CLinux"]),
        room(
            "Sandbox", "Sandbox/Lifecycle",
            [
                "HostNetwork",
                "OCISpec", "SandboxPlan", "Planning", "RuntimeState", "AgentClient", "Protobuf", "Engine",
                "ProgramArguments", "Jailer", "Cgroup", "Overlay",
                "Linux", "AgentProtocol", "CLinux",
            ]),

        // The shim's parts.
        .systemLibrary(
            name: "CNettle", path: "Sources/Shim/CNettle", pkgConfig: "nettle", providers: [.apt(["nettle-dev"])]),
        room(
            "Handshake", "Shim/Handshake",
            ["TaskProtocol", "Protobuf", "OCISpec", "SandboxPlan", "Cgroup", "Linux", "CNettle"]),
        room("TaskIO", "Shim/TaskIO", ["Linux"]),
        room("TaskRootfs", "Shim/TaskRootfs", ["Overlay", "SandboxPlan", "Linux", "CLinux"]),
        // fc-runc.toml, and what it comes to. TOMLKit brings Foundation along. A method of it taken for one of Swift's
        // would link it: 43 MB.
        .target(
            name: "Configuration",
            dependencies: ["Sandbox", "Engine", "Linux", .product(name: "TOMLKit", package: "TOMLKit")],
            path: "Sources/Sandbox/Configuration",
            swiftSettings: house + [.enableUpcomingFeature("MemberImportVisibility")]),
        room(
            "TaskService", "Shim/TaskService",
            [
                "TTRPC", "TaskProtocol", "Handshake", "TaskIO", "TaskRootfs", "Sandbox", "Planning", "Configuration",
                "RuntimeState",
                "AgentClient", "AgentProtocol", "Cgroup", "OCISpec", "SandboxPlan", "Linux", "CLinux",
            ]),

        // The programs.
        program("fc-vmm", "Sandbox/fc-vmm", ["VMM"]),
        program("fc-fsd", "Sandbox/fc-fsd", ["FileSystem", "ProgramArguments", "VhostUser", "Linux"]),
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
            path: "Tests/Support/TestSupport", swiftSettings: house),
        .executableTarget(
            name: "virtqueue-bench", dependencies: ["TestSupport", "Virtio", "Linux"],
            path: "Tests/Benchmarks/virtqueue-bench", swiftSettings: house),
        tests("Linux", ["Linux", "TestSupport", "CLinux"]),
        // A container with its root on a disk, for the integration tests.
        .executableTarget(
            name: "disk-run", dependencies: ["Sandbox", "Engine", "SandboxPlan", "Linux"],
            path: "Tests/Programs/DiskRun",
            swiftSettings: house),
        // Exits through our loop and through one in C, on the host's KVM.
        .target(name: "CExitLoop", path: "Tests/Benchmarks/CExitLoop"),
        .executableTarget(
            name: "exits-bench", dependencies: ["CExitLoop", "KVM", "Linux", "CLinux"],
            path: "Tests/Benchmarks/exits-bench", swiftSettings: house),
        tests("KVM", ["KVM", "TestSupport", "Linux", "CLinux"]),
        tests("GuestMemory", ["GuestMemory", "TestSupport", "Linux"]),
        tests("Virtio", ["Virtio", "GuestMemory", "SandboxPlan", "TestSupport", "Linux"]),
        tests("VhostUser", ["VhostUser", "Virtio", "GuestMemory", "TestSupport", "Linux"]),

        tests("Block", ["Block", "TestSupport", "Virtio", "GuestMemory", "SandboxPlan", "Linux", "CLinux"]),
        tests("Net", ["Net", "TestSupport", "Virtio", "GuestMemory", "SandboxPlan", "Linux", "CLinux"]),
        tests("Layout", []),
        tests("Boot", ["Boot", "GuestMemory", "Linux"]),
        tests("OCISpec", ["OCISpec"]),
        tests("Seccomp", ["Seccomp"]),
        tests(
            "ProcessProxy",
            ["ProcessProxy", "fc-proxy", "SocketBridge", "ProgramArguments", "AgentProtocol", "TestSupport", "Linux"]),
        tests("Sandbox", ["Sandbox", "Cgroup", "Planning", "RuntimeState", "SandboxPlan", "OCISpec", "Linux"]),
        tests("Planning", ["Planning", "OCISpec", "SandboxPlan"]),
        tests(
            "FileSystem",
            ["FileSystem", "TestSupport", "Virtio", "GuestMemory", "SandboxPlan", "Linux", "CLinux"]),
        // Measures fc-fsd and its peer through their sockets.
        .executableTarget(
            name: "fs-bench", dependencies: ["TestSupport", "GuestMemory", "Linux", "CLinux"],
            path: "Tests/Benchmarks/fs-bench", exclude: ["run"], swiftSettings: house),
        tests("ProgramArguments", ["ProgramArguments", "SandboxPlan", "Linux", "Virtio"]),
        tests("Cgroup", ["Cgroup", "TestSupport", "OCISpec", "Linux"]),
        tests("Jailer", ["Jailer", "fc-jailer", "SandboxPlan", "Linux"]),
        tests("Engine", ["Engine", "Jailer", "fc-jailer", "SandboxPlan", "Linux"]),
        tests("TaskService", ["TaskService", "TestSupport", "Handshake", "TTRPC", "TaskProtocol", "Linux"]),
        // Asks a shim what ctr of containerd 1.6 cannot ask for, for the integration tests.
        .executableTarget(
            name: "task-update", dependencies: ["TTRPC", "TaskProtocol", "Linux"], path: "Tests/Programs/TaskUpdate",
            swiftSettings: house),
        tests("RuntimeState", ["RuntimeState", "TestSupport", "OCISpec", "Linux"]),
        tests("Configuration", ["Configuration", "Sandbox", "SandboxPlan", "Engine", "Linux"]),
        tests(
            "fc-runc",
            [
                "fc-runc", "Configuration", "Sandbox", "Engine", "AgentProtocol", "OCISpec", "Linux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        tests("DNS", ["DNS"]),
        tests("AgentProtocol", ["AgentProtocol", "Protobuf", "SandboxPlan"]),
        tests("TaskProtocol", ["TaskProtocol", "Protobuf"]),
        tests("Protobuf", ["Protobuf", "CProtobuf", "AgentProtocol", "TaskProtocol", "SandboxPlan", "Linux"]),
        tests("TTRPC", ["TTRPC", "TaskProtocol", "Linux"]),
        .executableTarget(
            name: "AgentUnderTest", dependencies: ["AgentCore", "Linux"], path: "Tests/Programs/AgentUnderTest",
            swiftSettings: house),
        tests(
            "AgentCore",
            [
                "AgentCore", "AgentClient", "AgentProtocol", "AgentUnderTest", "TestSupport", "SandboxPlan", "Linux",
                "CLinux",
            ]),
        tests("AgentClient", ["AgentClient", "AgentProtocol", "SandboxPlan", "Linux"]),

        // A guest's vsock driver for tests, and what is tested with it.
        .target(
            name: "VsockDriver", dependencies: ["Vsock", "TestSupport", "Virtio", "GuestMemory", "Linux"],
            path: "Tests/Support/VsockDriver", swiftSettings: house),
        tests("Vsock", ["Vsock", "VsockDriver", "TestSupport", "Virtio", "GuestMemory", "Linux", "CLinux"]),
        tests(
            "VMM",
            [
                "VMM", "ProgramArguments", "KVM", "Boot", "Serial", "VsockDriver", "Vsock", "VhostUser", "Virtio",
                "GuestMemory", "TestSupport", "SandboxPlan", "Linux",
            ]),
        tests("Serial", ["Serial", "Linux"]),
        .executableTarget(
            name: "HandshakeUnderTest", dependencies: ["Handshake", "Linux"], path: "Tests/Programs/HandshakeUnderTest",
            swiftSettings: house),
        tests("Handshake", ["Handshake", "TestSupport", "HandshakeUnderTest", "TaskProtocol", "Cgroup", "Linux"]),
        tests("TaskIO", ["TaskIO", "TestSupport", "Linux", "CLinux"]),
        tests("HostNetwork", ["HostNetwork", "TestSupport", "Netlink", "SandboxPlan", "Linux"]),
        tests("Netlink", ["Netlink", "TestSupport", "SandboxPlan", "Linux"]),
        tests("Overlay", ["Overlay", "TestSupport", "Linux"]),
        tests("TaskRootfs", ["TaskRootfs", "Overlay", "SandboxPlan", "TestSupport", "Linux"]),
        tests("Entropy", ["Entropy", "TestSupport", "Virtio", "SandboxPlan", "Linux"]),
        tests("Balloon", ["Balloon", "TestSupport", "Virtio", "GuestMemory", "Linux"]),
        .executableTarget(
            name: "vsock-bench", dependencies: ["Vsock", "VsockDriver", "TestSupport", "Linux"],
            path: "Tests/Benchmarks/vsock-bench", swiftSettings: house),
    ]
)
