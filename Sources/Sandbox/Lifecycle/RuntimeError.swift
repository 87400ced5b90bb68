// SPDX-License-Identifier: Apache-2.0
public import AgentClient
public import Cgroup
public import Engine
public import HostNetwork
import Linux
public import OCISpec
public import Overlay
public import Planning
public import ProgramArguments
public import RuntimeState
import SandboxPlan

/// Why a verb failed. Texts follow runc's where a caller is known to look for them.
public enum RuntimeError: Error {
    case state(RuntimeStateError)
    case bundle(path: String, Errno)
    case configurationMissing(path: String)
    case configuration(path: String, Errno)
    case spec(SpecError)
    case unsupported([String])
    case processMissing
    case rootMissing
    case root(path: String, Errno)
    case rootIsLink(String)
    case rootOutsideBundle(String)
    case planning(PlanningError)
    case share(path: String, Errno)
    case overlay(path: String, OverlayError)
    /// A disk cannot be mounted as it is asked for.
    case rootDisk(path: String, PlanningError)
    case disk(path: String, Errno)
    /// Somebody holds the disk: another machine, or this host's kernel.
    case diskInUse(path: String)
    case mountPoint(path: String, Errno)
    case networkNamespace(path: String, Errno)
    /// Of a container that runs in the machine of others.
    case networkNotCarried(path: String, interfaces: [String])
    case hostNetwork(path: String, HostNetworkError)
    case hostNetworkNamed(path: String)
    case networkTooLarge(path: String, String, limit: Int)
    case cgroup(CgroupError)
    case engine(EngineError)
    case part(name: String, path: String, Errno)
    /// The file beside the guest's kernel says something that is not known here.
    case deviceDiscovery(path: String)
    case console(Errno)
    case consoleSocketMissing
    case consoleSocketUnwanted
    case consoleSocket(path: String, Errno)
    case pidFile(path: String, Errno)
    case preservedDescriptors(Int)
    case launch(program: String, operation: String, Errno)
    /// The processes that stand for the container on the host, or their namespaces, could not be made.
    case standIn(String)
    /// A hook failed: which, and how, in runc's words.
    case hook(String)
    /// The sandbox ended, or said nothing for too long, before its agent was ready.
    case sandboxFailed(stage: String, reason: String, console: [String])
    case agent(AgentClientError)
    /// The agent refused: its own words.
    case refused(String)
    case processFile(path: String, Errno)
    /// No process that exec started has this name.
    case noSuchExec(String)
    case resources(SpecError)
    case unsupportedResources([String])
    /// A container would be given more memory than there is in its machine; both in bytes.
    case machineTooSmall(wanted: UInt64, available: UInt64)
    /// The sandbox that a container's annotations name cannot be joined.
    case sandbox(String, problem: SandboxProblem)
    /// A namespace that the document names cannot be joined.
    case namespace(field: String, path: String, problem: NamespaceProblem)
    /// A machine that runs takes no more disks.
    case diskInPod(path: String)
    /// The sandbox of this id ended, or was deleted, while a container of it was worked on.
    case sandboxGone(String)
    /// The tree that a sandbox's guest is shown could not be changed.
    case shares(operation: String, Errno)
    case signal(number: Int32, Errno)
    case cleanUp(path: String, Errno)
    case stillRunning(id: String)
    case notRunning(id: String)
    case intervalNotPositive
    /// A line of a cgroup's file, as the guest told it, is not of the file's form.
    case statistics(CgroupError)
    case watch(Errno)
    /// A program's arguments that it would refuse.
    case arguments(program: String, ArgumentError)
    /// The monitor could not be asked for its report.
    case monitor(operation: String, Errno)
    case monitorReport(SpecError)
    /// A tap could not be given to a network slot, or taken from it: what the monitor said, or why it was not heard.
    case networkSlot(Int, operation: String, reason: String)
}

/// Why a container cannot join a sandbox.
public enum SandboxProblem: Hashable, Sendable, CustomStringConvertible {
    case isMissing
    case isTheContainer
    case isMember(of: String)
    case isAlone
    case isNotRunning(State.Status)

    public var description: String {
        switch self {
        case .isMissing: "there is no container of this name"
        case .isTheContainer: "a container cannot join itself"
        case .isMember(let other): "it is no sandbox: it runs in that of \(other)"
        case .isAlone: "it is no sandbox: its annotations do not say so"
        case .isNotRunning(let status): "it is not running, but \(status.rawValue)"
        }
    }
}

/// Why a namespace cannot be joined.
public enum NamespaceProblem: Hashable, Sendable, CustomStringConvertible {
    case isUnreachable(Errno)
    case isForeign
    case isElsewhere(container: String, other: String)

    public var description: String {
        switch self {
        case .isUnreachable(let errno): "\(errno)"
        case .isForeign:
            "is of no container of this runtime that runs, and a virtual machine can share no other's; without the path "
                + "the container has a namespace of its own"
        case .isElsewhere(let container, let other):
            "is container \(container)'s, whose virtual machine is another than that of container \(other)"
        }
    }
}

extension RuntimeError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .state(let error): "\(error)"
        case .bundle(let path, let errno): "bundle \(path): \(errno)"
        case .configurationMissing(let path): "JSON specification file \(path) not found"
        case .configuration(let path, let errno): "\(path): \(errno)"
        case .spec(let error): "config.json: \(error)"
        case .unsupported(let fields): "config.json: not supported yet: \(fields.joined(separator: ", "))"
        case .processMissing: "config.json: process: args must not be empty"
        case .rootMissing: "config.json: root: path must not be empty"
        case .root(let path, let errno): "invalid rootfs: stat \(path): \(errno)"
        case .rootIsLink(let path): "invalid rootfs: \(path): not an absolute path, or a symlink"
        case .rootOutsideBundle(let path): "invalid rootfs: \(path): leads out of the bundle"
        case .planning(let error): "config.json: \(error)"
        case .share(let path, let errno): "share \(path): \(errno)"
        case .overlay(let path, let error): "mount of type overlay at \(path): \(error)"
        case .rootDisk(let path, let error): "root filesystem \(path): \(error)"
        case .disk(let path, let errno): "disk \(path): \(errno)"
        case .diskInUse(let path): "disk \(path): in use by another virtual machine, or mounted"
        case .mountPoint(let path, let errno): "make mount point \(path): \(errno)"
        case .networkNamespace(let path, let errno): "network namespace \(path): \(errno)"
        case .networkNotCarried(let path, let interfaces):
            "network namespace \(path): a container in another's virtual machine has that one's network, and none of its own: "
                + interfaces.joined(separator: ", ")
        case .hostNetwork(let path, let error): "network namespace \(path): \(error)"
        case .networkTooLarge(let path, let count, let limit):
            "network namespace \(path): \(count) are more than the \(limit) that can be carried"
        case .hostNetworkNamed(let path):
            "network namespace \(path): it is the host's, which a virtual machine cannot share"
        case .cgroup(let error): "\(error)"
        case .engine(let error): "\(error)"
        case .part(let name, let path, let errno): "\(name) at \(path): \(errno)"
        case .deviceDiscovery(let path):
            "\(path): must be one of \(DeviceDiscovery.allCases.map(\.rawValue).joined(separator: ", "))"
        case .console(let errno): "make a terminal: \(errno)"
        case .consoleSocketMissing: "cannot allocate tty if runc will detach without setting console socket"
        case .consoleSocketUnwanted: "cannot use console socket if runc will not detach or allocate tty"
        case .consoleSocket(let path, let errno): "console socket \(path): \(errno)"
        case .pidFile(let path, let errno): "pid file \(path): \(errno)"
        case .preservedDescriptors(let count):
            "--preserve-fds \(count): descriptors cannot be carried into a virtual machine"
        case .launch(let program, let operation, let errno): "start \(program): \(operation): \(errno)"
        case .standIn(let reason): "namespaces on the host: \(reason)"
        case .hook(let reason): reason
        case .sandboxFailed(let stage, let reason, let console):
            "the sandbox did not start: \(stage): \(reason)"
                + (console.isEmpty ? "" : "; the guest's console ends: " + console.joined(separator: " | "))
        case .agent(let error): "guest agent: \(error)"
        case .refused(let message): message
        case .noSuchExec(let id): "process \(id) does not exist"
        case .resources(let error): "resources: \(error)"
        case .unsupportedResources(let fields): "not supported yet: \(fields.joined(separator: ", "))"
        case .machineTooSmall(let wanted, let available):
            "memory limit \(wanted): the virtual machine has \(available) bytes for containers; a pod's has as many as "
                + "pod_memory in the configuration file or the annotation io.kubernetes.cri.sandbox-memory say"
        case .sandbox(let name, let problem): "sandbox \(name): \(problem)"
        case .namespace(let field, let path, let problem): "config.json: \(field): \(path): \(problem)"
        case .diskInPod(let path): "root file system \(path): a disk cannot be added to a sandbox that runs"
        case .sandboxGone(let id): "sandbox \(id) has ended"
        case .shares(let operation, let errno): "\(operation) the shared directory tree of the sandbox: \(errno)"
        case .processFile(let path, let errno): "process file \(path): \(errno)"
        case .signal(let number, let errno): "signal \(number): \(errno)"
        case .cleanUp(let path, let errno): "clean up \(path): \(errno)"
        case .stillRunning(let id): "container \(id) does not end"
        case .notRunning(let id): "container with id \(id) is not running"
        case .intervalNotPositive: "duration interval must be greater than 0"
        case .statistics(let error): "guest agent: \(error)"
        case .watch(let errno): "watch the container: \(errno)"
        case .arguments(let program, let error): "\(program): \(error)"
        case .monitor(let operation, let errno): "the monitor's report: \(operation): \(errno)"
        case .monitorReport(let error): "the monitor's report: \(error)"
        case .networkSlot(let slot, let operation, let reason): "network slot \(slot): \(operation): \(reason)"
        }
    }
}

/// Runs `body`, whose errors `wrap` makes the runtime's.
func wrapping<Result: ~Copyable, Failure: Error>(
    _ wrap: (Failure) -> RuntimeError, _ body: () throws(Failure) -> Result
) throws(RuntimeError) -> Result {
    do { return try body() } catch { throw wrap(error) }
}

/// The value of `body`, whose errors `wrap` makes the runtime's.
func wrapping<Result: ~Copyable, Failure: Error>(
    _ wrap: (Failure) -> RuntimeError, _ body: @autoclosure () throws(Failure) -> Result
) throws(RuntimeError) -> Result {
    do { return try body() } catch { throw wrap(error) }
}
