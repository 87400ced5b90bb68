// SPDX-License-Identifier: Apache-2.0
import Linux

/// The steps between a fork and an exec, by the names that the host sees.
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

/// The same of one expression.
func step<Result: ~Copyable>(
    _ stage: LaunchStage, _ what: @autoclosure () -> String, _ body: @autoclosure () throws(Errno) -> Result
) throws(LaunchFailure) -> Result {
    do {
        return try body()
    } catch {
        throw LaunchFailure(stage, error, what())
    }
}
