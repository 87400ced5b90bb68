import Foundation
import Testing

/// The order of the house: what each room may import. Whoever adds an edge adds it here, and says in DESIGN.md
/// why it goes the right way.
@Suite struct LayeringTests {
    static let folders = [
        "OCISpec": "OCISpec", "SandboxPlan": "Sandbox/SandboxPlan", "Linux": "Sandbox/Linux",
        "Capabilities": "Sandbox/Capabilities", "Seccomp": "Sandbox/Seccomp", "Cgroup": "Sandbox/Cgroup",
        "GuestMemory": "Sandbox/GuestMemory", "Virtio": "Sandbox/Virtio", "VhostUser": "Sandbox/VhostUser",
        "Vsock": "Sandbox/Devices/Vsock", "FileSystem": "Sandbox/Devices/FileSystem", "VMM": "Sandbox/VMM",
        "Metrics": "Sandbox/Metrics", "RateLimiter": "Sandbox/RateLimiter", "Block": "Sandbox/Devices/Block",
        "Net": "Sandbox/Devices/Net", "Entropy": "Sandbox/Devices/Entropy", "Balloon": "Sandbox/Devices/Balloon",
        "Serial": "Sandbox/Devices/Serial", "KVM": "Sandbox/KVM", "Boot": "Sandbox/Boot",
        "KVMEngine": "Sandbox/KVMEngine",
        "Engine": "Sandbox/Engine", "QEMU": "Sandbox/QEMU", "Jailer": "Sandbox/Jailer",
        "AgentProtocol": "Agent/AgentProtocol", "AgentClient": "Agent/AgentClient", "AgentCore": "Agent/AgentCore",
        "TaskProtocol": "Shim/TaskProtocol", "TTRPC": "Shim/TTRPC",
        "Planning": "Sandbox/Planning", "RuntimeState": "Sandbox/RuntimeState",
        "ProcessProxy": "Sandbox/ProcessProxy", "Sandbox": "Sandbox/Lifecycle",
        "Configuration": "Sandbox/Configuration", "fc-runc": "fc-runc",
        "fc-vmm": "Sandbox/fc-vmm", "fc-fsd": "Sandbox/fc-fsd", "fc-jailer": "Sandbox/fc-jailer",
        "fc-proxy": "Sandbox/fc-proxy", "fc-agent": "Agent/fc-agent",
        "TaskService": "Shim/TaskService", "containerd-shim-fc-runc-v2": "Shim/containerd-shim-fc-runc-v2",
        "Handshake": "Shim/Handshake", "TaskIO": "Shim/TaskIO", "TaskRootfs": "Shim/TaskRootfs",
    ]

    static let kernel: Set<String> = ["CLinux", "Linux"]
    static let device: Set<String> = ["CLinux", "Linux", "GuestMemory", "Virtio", "Metrics"]

    static let allowed: [String: Set<String>] = [
        "OCISpec": [], "SandboxPlan": [], "Linux": ["CLinux"],
        "Capabilities": ["Linux", "CCapability"], "Seccomp": ["Linux", "CSeccomp"], "Cgroup": kernel,
        "GuestMemory": kernel, "Virtio": ["CLinux", "Linux", "GuestMemory", "Metrics"],
        "VhostUser": device, "Vsock": device, "FileSystem": device.union(["VhostUser"]),
        "Metrics": [], "RateLimiter": [], "Block": device.union(["RateLimiter"]),
        "Net": device.union(["RateLimiter"]), "Entropy": device.union(["RateLimiter"]), "Balloon": device,
        "Serial": ["Linux", "Metrics"], "KVM": kernel, "Boot": kernel.union(["GuestMemory"]),
        "VMM": device.union([
            "VhostUser", "Vsock", "Block", "Net", "Entropy", "Balloon", "Serial", "KVM", "Boot", "RateLimiter",
            "SandboxPlan",
        ]),
        "KVMEngine": kernel.union(["SandboxPlan", "Engine"]),
        "Engine": kernel.union(["SandboxPlan", "Cgroup"]), "QEMU": kernel.union(["SandboxPlan", "Engine"]),
        "Jailer": kernel.union(["SandboxPlan", "Capabilities", "Cgroup"]),
        "AgentProtocol": ["CAgentProtocol", "CProtobuf", "SandboxPlan"],
        "AgentClient": kernel.union(["AgentProtocol", "SandboxPlan"]),
        "AgentCore": kernel.union(["AgentProtocol", "SandboxPlan", "Capabilities"]),
        "TaskProtocol": ["CTaskProtocol", "CProtobuf"], "TTRPC": ["TaskProtocol", "Linux"],
        "Planning": ["OCISpec", "SandboxPlan", "Capabilities", "Seccomp"],
        "RuntimeState": ["OCISpec", "Linux"],
        "ProcessProxy": kernel.union(["AgentProtocol", "SandboxPlan"]),
        "Sandbox": kernel.union([
            "OCISpec", "SandboxPlan", "Planning", "RuntimeState", "AgentProtocol", "AgentClient", "Engine", "QEMU",
            "KVMEngine", "Jailer", "Cgroup",
        ]),
        "Configuration": ["Sandbox", "Engine", "Linux", "TOMLKit"],
        "fc-runc": [
            "Configuration", "Sandbox", "RuntimeState", "Engine", "AgentProtocol", "OCISpec", "Linux",
            "ArgumentParser",
        ],
        "fc-vmm": ["VMM"], "fc-fsd": ["FileSystem", "VhostUser", "Virtio", "Linux"], "fc-jailer": ["Jailer"],
        "fc-proxy": ["ProcessProxy"], "fc-agent": ["AgentCore", "CAgentStart"],
        "Handshake": ["TaskProtocol", "OCISpec", "Linux", "CNettle"], "TaskIO": ["Linux"], "TaskRootfs": kernel,
        "TaskService": kernel.union([
            "TTRPC", "TaskProtocol", "Handshake", "TaskIO", "TaskRootfs", "Configuration", "Sandbox", "Planning",
            "RuntimeState", "AgentClient", "AgentProtocol", "Cgroup", "OCISpec", "SandboxPlan",
        ]),
        "containerd-shim-fc-runc-v2": ["TaskService"],
    ]

    /// Modules of the toolchain.
    static let toolchain: Set<String> = ["Glibc", "Swift", "Synchronization"]
    /// Rooms that may use Foundation's essentials; nobody may use all of Foundation.
    static let essentials: Set<String> = ["RuntimeState", "Sandbox", "fc-runc"]

    @Test(arguments: folders.keys.sorted())
    func importsGoOneWay(room: String) throws {
        let allowed = try #require(Self.allowed[room])
        let imported = try Manifest.imported(in: #require(Self.folders[room]))
        let wrong = imported.subtracting(allowed).subtracting(Self.toolchain)
            .subtracting(Self.essentials.contains(room) ? ["FoundationEssentials"] : [])
        #expect(wrong.isEmpty, "\(room) imports \(wrong.sorted())")
    }

    @Test func theManifestNamesNoOtherEdge() throws {
        let manifest = try Manifest()
        for (room, allowed) in Self.allowed {
            let declared = try #require(manifest.imports[room], "\(room) is not in Package.swift")
                .filter { Self.folders[$0] != nil }
            #expect(declared.isSubset(of: allowed), "\(room) declares \(declared.subtracting(allowed).sorted())")
        }
    }

    @Test func everyRoomIsListed() throws {
        let listed = Set(Self.folders.values)
        let sources = Manifest.root.appendingPathComponent("Sources")
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        for case let file as URL in files where file.pathExtension == "swift" {
            let folder = file.deletingLastPathComponent().path.dropFirst(sources.path.count + 1)
            let isListed = listed.contains { folder == $0 || folder.hasPrefix($0 + "/") }
            #expect(isListed, "Sources/\(folder) belongs to no listed room")
        }
    }

    @Test func mainsAreOneLine() throws {
        for program in [
            "Sandbox/fc-vmm", "Sandbox/fc-fsd", "Sandbox/fc-jailer", "Sandbox/fc-proxy", "Agent/fc-agent", "fc-runc",
            "Shim/containerd-shim-fc-runc-v2",
        ] {
            let file = Manifest.root.appendingPathComponent("Sources/\(program)/main.swift")
            let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
                .filter { !$0.hasPrefix("import ") && !$0.hasPrefix("//") }
            // The agent's first line keeps the constructor that mounts /proc.
            let most = program == "Agent/fc-agent" ? 2 : 1
            #expect(lines.count <= most, "\(program)/main.swift has \(lines.count) lines")
        }
    }
}
