// SPDX-License-Identifier: Apache-2.0
import OCISpec
import SandboxPlan

/// How a container stands to others, as its annotations tell: by containerd's names, or by CRI-O's, which podman uses.
/// These are all that is read of annotations; nothing in them reaches a command line.
public enum PodRole: Hashable, Sendable {
    /// In a virtual machine of its own.
    case alone
    /// In one of its own which others may join; `name` is what those call it, where that is not its id.
    case sandbox(name: String?)
    /// In the machine of the sandbox of this name.
    case member(of: String)
    /// podman's infra container: the others of its pod will name its namespaces by their paths.
    case infra

    private struct Names {
        var type: String
        var sandbox: String
    }

    private static let families = [
        Names(type: "io.kubernetes.cri.container-type", sandbox: "io.kubernetes.cri.sandbox-id"),
        Names(type: "io.kubernetes.cri-o.ContainerType", sandbox: "io.kubernetes.cri-o.SandboxID"),
    ]

    /// Who manages a container, and podman's word for itself. Its members' annotations name the infra container, or the
    /// pod if it has none, whatever they share; what they share, the paths of their namespaces say.
    private static let manager = (key: "io.container.manager", podman: "libpod")

    /// As the annotations say; beyond them podman's infra container is known by its program, which does nothing, or by
    /// its cgroup, which lies in its pod's. Taken for one, a container has a larger machine, and that is all.
    ///
    /// - Throws: as `init(annotations:)`.
    public init(_ spec: Spec) throws(PlanningError) {
        try self.init(annotations: spec.annotations)
        guard self == .alone, spec.annotations[Self.manager.key] == Self.manager.podman,
            !Self.families.contains(where: { spec.annotations[$0.type] != nil })
        else { return }
        if Self.isPause(spec.process?.args ?? []) || Self.isOfPod(spec.linux?.cgroupsPath ?? "") { self = .infra }
    }

    /// catatonit's and Kubernetes' pause programs.
    private static func isPause(_ arguments: [String]) -> Bool {
        guard let program = arguments.first?.utf8.split(separator: UInt8(ascii: "/")).last else { return false }
        let rest = arguments.dropFirst()
        return program.elementsEqual("pause".utf8) && rest.isEmpty
            || program.elementsEqual("catatonit".utf8) && rest.elementsEqual(["-P"])
    }

    /// `…/<pod>/libpod-<container>`, or systemd's `…libpod_pod_<pod>.slice:libpod:<container>`.
    private static func isOfPod(_ cgroupsPath: String) -> Bool {
        let names = cgroupsPath.utf8.split(separator: UInt8(ascii: "/"))
        if let last = names.last, last.starts(with: "libpod-".utf8), let parent = names.dropLast().last {
            return parent.count == 64 && parent.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        }
        let parts = cgroupsPath.utf8.split(separator: UInt8(ascii: ":"))
        let prefixes = ["machine-libpod_pod_", "user-libpod_pod_"]
        return parts.count == 3 && prefixes.contains { parts[0].starts(with: $0.utf8) }
    }

    /// - Throws: `annotation` for a type that is none, a sandbox's name that is none, and where the names of both kinds
    ///   stand there and say different things.
    public init(annotations: [String: String]) throws(PlanningError) {
        self = .alone
        for names in Self.families {
            guard let type = annotations[names.type] else { continue }
            let name = annotations[names.sandbox]
            if let name, ContainerID(rawValue: name) == nil {
                throw .annotation(names.sandbox, value: name, problem: "is not the name of a sandbox")
            }
            let role: PodRole
            if type == "container", annotations[Self.manager.key] == Self.manager.podman { continue }
            switch (type, name) {
            case ("sandbox", _): role = .sandbox(name: name)
            case ("container", let name?): role = .member(of: name)
            case ("container", nil):
                throw .annotation(names.type, value: type, problem: "needs \"\(names.sandbox)\" beside it")
            default: throw .annotation(names.type, value: type, problem: "is neither sandbox nor container")
            }
            if self != .alone, self != role {
                throw .annotation(names.type, value: type, problem: "and \(Self.families[0].type) do not say the same")
            }
            self = role
        }
    }
}

/// What all containers of a pod may use together, as containerd tells it on the sandbox. nil: not told.
public struct PodResources: Hashable, Sendable {
    /// Bytes.
    public var memoryByteCount: UInt64?
    /// Microseconds of processor time in each period.
    public var cpuQuota: Int64?
    /// Microseconds.
    public var cpuPeriod: UInt64?
    /// 2 to 262144.
    public var cpuShares: UInt64?

    /// Without any limit.
    public init() {}

    /// Reads decimal numbers; 0, and of memory and quota -1, say nothing.
    ///
    /// - Throws: `annotation` for what is no number or out of range.
    public init(annotations: [String: String]) throws(PlanningError) {
        func number(_ name: String, _ range: ClosedRange<Int64>, none: Set<Int64>) throws(PlanningError) -> Int64? {
            let key = "io.kubernetes.cri.sandbox-\(name)"
            guard let text = annotations[key], !text.isEmpty else { return nil }
            let isNumber = text.utf8.enumerated().allSatisfy { index, byte in
                (0x30...0x39).contains(byte) || index == 0 && byte == UInt8(ascii: "-")
            }
            guard isNumber, let value = Int64(text), range.contains(value) || none.contains(value) else {
                throw .annotation(
                    key, value: text, problem: "is not a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return none.contains(value) ? nil : value
        }
        memoryByteCount = try number("memory", 1...1 << 40, none: [0, -1]).map(UInt64.init)
        cpuQuota = try number("cpu-quota", 1000...1 << 40, none: [0, -1])
        cpuPeriod = try number("cpu-period", 1000...1_000_000, none: [0]).map(UInt64.init)
        cpuShares = try number("cpu-shares", 2...262_144, none: [0]).map(UInt64.init)
    }
}
