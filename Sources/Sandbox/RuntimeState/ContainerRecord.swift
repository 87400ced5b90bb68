// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Linux
import OCISpec

/// What is kept of a container between one command and the next: state.json of its folder.
public struct ContainerRecord: Codable, Equatable, Sendable {
    /// The layout of state.json. Another number is refused, not guessed at.
    public static let currentFormat = 1

    /// The version of the record's layout.
    public var format = ContainerRecord.currentFormat
    /// Of the container's config.json.
    public var ociVersion: String
    /// The container's id.
    public var id: String
    /// Absolute.
    public var bundle: String
    /// The root filesystem, absolute.
    public var rootfs: String
    /// As last written. Ask ``currentStatus``: the container may have ended since.
    public var status = State.Status.creating
    /// RFC 3339.
    public var created: String
    /// The user who made the container.
    public var ownerUID: UInt32
    /// The annotations of the bundle's document.
    public var annotations: [String: String] = [:]
    /// The engine that runs its virtual machine: `qemu`, `kvm`.
    public var engine: String
    /// The sandbox whose virtual machine it runs in: its own id, or that of a pod's first container.
    public var sandboxID: String
    /// The command that is making the container; it has failed if that ends before the container is created.
    public var creator: ProcessIdentity
    /// The host process that stands for the container's own, the one in the pid file.
    public var process: ProcessIdentity?
    /// The first process of the namespaces that `process` and its like are in; nil where an earlier version made them.
    public var standIn: ProcessIdentity?
    /// The host process that serves the sockets which the container has bound, where it has; it ends soon after the one above.
    public var socketServer: ProcessIdentity?
    /// The host process that serves the resolver of the sandbox's network namespace, where there is one; it ends soon after the
    /// next.
    public var resolverServer: ProcessIdentity?
    /// PID 1 of the sandbox's jail; with it goes all that is in there.
    public var supervisor: ProcessIdentity?
    /// What it was when it was paused: created or running.
    public var statusBeforePause: State.Status?
    /// The virtual machine, where it is this container's own.
    public var machine: MachineRecord?
    /// The container's directory in the tree that another's virtual machine shares; nil in one of its own.
    public var shareName: String?
    /// Its cgroup directories on the host, absolute: one in each hierarchy. With a machine of its own, that is in there.
    public var cgroupDirectories: [String] = []
    /// Those of them, and of the directories above them, that were made for it: all that is to be removed.
    public var madeCgroupDirectories: [String] = []
    /// What was about to be made of them; nil once it is known who made it.
    public var plannedCgroupDirectories: [String]?
    /// Why the sandbox ended, where it did not end by itself.
    public var stopReason: String?

    public init(
        id: ContainerID, ociVersion: String, bundle: String, rootfs: String, ownerUID: UInt32, engine: String,
        sandboxID: String? = nil, creator: ProcessIdentity, created: Timestamp = .now()
    ) {
        self.id = id.rawValue
        self.ociVersion = ociVersion
        self.bundle = bundle
        self.rootfs = rootfs
        self.ownerUID = ownerUID
        self.engine = engine
        self.sandboxID = sandboxID ?? id.rawValue
        self.creator = creator
        self.created = created.rfc3339Nanoseconds
    }

    /// Whether it runs in another container's virtual machine.
    public var isMember: Bool { sandboxID != id }

    /// The status now: stopped where one of the processes it takes has gone.
    public var currentStatus: State.Status {
        switch status {
        case .creating: creator.isAlive ? .creating : .stopped
        case .stopped: .stopped
        case .created, .running, .paused:
            process?.isAlive == true && supervisor?.isAlive != false ? status : .stopped
        }
    }

    /// As `state` and `list` show it; `owner` is left empty: this room knows no user names.
    public var state: State {
        let now = currentStatus
        var state = State(
            id: id, pid: now == .stopped ? 0 : Int(process?.pid ?? 0), status: now, bundle: bundle)
        state.ociVersion = ociVersion
        state.rootfs = rootfs
        state.created = created
        state.annotations = annotations
        return state
    }
}

extension State.Status: Codable {}

extension ContainerRecord {
    /// Reads state.json, found at `path`.
    static func parse(_ bytes: [UInt8], path: String) throws(RuntimeStateError) -> ContainerRecord {
        struct Format: Decodable { var format: Int }
        let record: ContainerRecord
        do {
            let decoder = JSONDecoder()
            let format = try decoder.decode(Format.self, from: Data(bytes)).format
            guard format == currentFormat else { throw RuntimeStateError.unknownFormat(path: path, format: format) }
            record = try decoder.decode(ContainerRecord.self, from: Data(bytes))
        } catch let error as RuntimeStateError {
            throw error
        } catch let error as DecodingError {
            throw .corrupt(path: path, reason: error.reason)
        } catch {
            throw .corrupt(path: path, reason: "\(error)")
        }
        return record
    }

    func encoded(path: String) throws(RuntimeStateError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        do {
            return try [UInt8](encoder.encode(self))
        } catch {
            throw .corrupt(path: path, reason: "\(error)")
        }
    }
}

extension DecodingError {
    /// One line: where, and what was wrong.
    var reason: String {
        switch self {
        case .keyNotFound(let key, let context): Self.path(context.codingPath + [key]) + " is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            Self.path(context.codingPath) + " is of the wrong type"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty ? "not JSON" : Self.path(context.codingPath) + " has no such value"
        @unknown default: "not readable"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String { keys.map(\.stringValue).joined(separator: ".") }
}
