import Linux

/// The steps between a fork and an exec, by the names the host is told.
enum LaunchStage: UInt8, CaseIterable {
    case prepare = 1
    case namespaces
    case rootFileSystem
    case mount
    case device
    case terminal
    case pivot
    case hostname
    case kernelParameter
    case readOnlyPath
    case maskedPath
    case resourceLimit
    case workingDirectory
    case user
    case capabilities
    case seccomp
    case executable
    case exec
    case lost

    var name: String {
        switch self {
        case .prepare: "prepare"
        case .namespaces: "namespaces"
        case .rootFileSystem: "rootfs"
        case .mount: "mount"
        case .device: "device"
        case .terminal: "terminal"
        case .pivot: "pivot_root"
        case .hostname: "hostname"
        case .kernelParameter: "sysctl"
        case .readOnlyPath: "readonly path"
        case .maskedPath: "masked path"
        case .resourceLimit: "rlimits"
        case .workingDirectory: "cwd"
        case .user: "user"
        case .capabilities: "capabilities"
        case .seccomp: "seccomp"
        case .executable: "executable"
        case .exec: "exec"
        case .lost: "lost"
        }
    }
}

/// Why a process did not become the container's.
struct LaunchFailure: Error {
    var stage: LaunchStage
    var errno: Int32
    var message: String

    init(_ stage: LaunchStage, _ errno: Errno, _ what: String) {
        self.stage = stage
        self.errno = errno.rawValue
        message = "\(what): \(errno)"
    }

    /// For what no errno explains.
    init(_ stage: LaunchStage, _ message: String, errno: Int32 = 0) {
        self.stage = stage
        self.errno = errno
        self.message = message
    }
}

/// Runs one step of a launch, naming stage and operation in its error.
func step<Result: ~Copyable>(
    _ stage: LaunchStage, _ what: @autoclosure () -> String, _ body: () throws(Errno) -> Result
) throws(LaunchFailure) -> Result {
    do {
        return try body()
    } catch {
        throw LaunchFailure(stage, error, what())
    }
}

/// What a process says to the agent before it becomes another program, one packet each.
enum LaunchMessage {
    /// Everything is made; with a terminal its master comes along. A container's first process now waits.
    case ready
    case failed(LaunchFailure)

    /// The most bytes a packet has.
    static let limit = 4096

    var bytes: [UInt8] {
        switch self {
        case .ready: return [0]
        case .failed(let failure):
            var bytes: [UInt8] = [1, failure.stage.rawValue]
            for shift in stride(from: 0, to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: failure.errno >> Int32(shift)))
            }
            return bytes + failure.message.utf8.prefix(Self.limit - bytes.count)
        }
    }

    /// nil for what no honest child sends.
    init?(_ bytes: [UInt8]) {
        switch bytes.first {
        case 0 where bytes.count == 1: self = .ready
        case 1 where bytes.count >= 6:
            guard let stage = LaunchStage(rawValue: bytes[1]) else { return nil }
            let errno = bytes[2..<6].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let message = String(decoding: bytes[6...].filter { $0 != 0 }, as: UTF8.self)
            self = .failed(LaunchFailure(stage, message, errno: Int32(bitPattern: errno)))
        default: return nil
        }
    }
}
