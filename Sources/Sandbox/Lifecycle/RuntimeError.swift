public import AgentClient
public import Cgroup
public import Engine
public import Linux
public import OCISpec
public import Planning
public import RuntimeState
import SandboxPlan

/// Why a verb failed. Texts follow runc's where a caller is known to look for them.
public enum RuntimeError: Error {
    case state(RuntimeStateError)
    case bundle(path: String, Errno)
    case configurationMissing(path: String)
    case configuration(path: String, Errno)
    case spec(SpecError)
    case unhonoured([String])
    case processMissing
    case rootMissing
    case root(path: String, Errno)
    case rootIsLink(String)
    case rootOutsideBundle(String)
    case planning(PlanningError)
    case share(path: String, Errno)
    /// A disk cannot be mounted as it is asked for.
    case rootDisk(path: String, PlanningError)
    case disk(path: String, Errno)
    /// Somebody holds the disk: another machine, or this host's kernel.
    case diskInUse(path: String)
    case mountPoint(path: String, Errno)
    case networkNamespace(path: String, Errno)
    case networkNotCarried(path: String, interfaces: [String])
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
    /// The sandbox ended, or said nothing for too long, before its agent was ready.
    case sandboxFailed(stage: String, reason: String, console: [String])
    case agent(AgentClientError)
    /// The agent refused: its own words.
    case refused(String)
    case processFile(path: String, Errno)
    /// No process that exec started has this name.
    case noSuchExec(String)
    case resources(SpecError)
    case unhonouredResources([String])
    /// A container would be given more memory than there is in its machine; both in bytes.
    case machineTooSmall(wanted: UInt64, available: UInt64)
    /// The sandbox that a container's annotations name cannot be joined.
    case sandbox(String, problem: SandboxProblem)
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
    case statistics(file: String, line: Int)
    case statisticsTooLong(file: String)
    case watch(Errno)
    /// The monitor could not be asked for its report.
    case monitor(operation: String, Errno)
    case monitorReport(SpecError)
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

extension RuntimeError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .state(let error): "\(error)"
        case .bundle(let path, let errno): "bundle \(path): \(errno)"
        case .configurationMissing(let path): "JSON specification file \(path) not found"
        case .configuration(let path, let errno): "\(path): \(errno)"
        case .spec(let error): "config.json: \(error)"
        case .unhonoured(let fields): "config.json: not supported yet: \(fields.joined(separator: ", "))"
        case .processMissing: "config.json: process: args must not be empty"
        case .rootMissing: "config.json: root: path must not be empty"
        case .root(let path, let errno): "invalid rootfs: stat \(path): \(errno)"
        case .rootIsLink(let path): "invalid rootfs: \(path): not an absolute path, or a symlink"
        case .rootOutsideBundle(let path): "invalid rootfs: \(path): leads out of the bundle"
        case .planning(let error): "config.json: \(error)"
        case .share(let path, let errno): "share \(path): \(errno)"
        case .rootDisk(let path, let error): "root filesystem \(path): \(error)"
        case .disk(let path, let errno): "disk \(path): \(errno)"
        case .diskInUse(let path): "disk \(path): in use by another virtual machine, or mounted"
        case .mountPoint(let path, let errno): "make mount point \(path): \(errno)"
        case .networkNamespace(let path, let errno): "network namespace \(path): \(errno)"
        case .networkNotCarried(let path, let interfaces):
            "network namespace \(path): interfaces are not carried into the virtual machine yet: "
                + interfaces.joined(separator: ", ")
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
        case .sandboxFailed(let stage, let reason, let console):
            "the sandbox did not start: \(stage): \(reason)"
                + (console.isEmpty ? "" : "; the guest's console ends: " + console.joined(separator: " | "))
        case .agent(let error): "guest agent: \(error)"
        case .refused(let message): message
        case .noSuchExec(let id): "process \(id) does not exist"
        case .resources(let error): "resources: \(error)"
        case .unhonouredResources(let fields): "not supported yet: \(fields.joined(separator: ", "))"
        case .machineTooSmall(let wanted, let available):
            "memory limit \(wanted): the virtual machine has \(available) bytes for containers; a pod's has as many as "
                + "pod_memory in the configuration file or the annotation io.kubernetes.cri.sandbox-memory say"
        case .sandbox(let name, let problem): "sandbox \(name): \(problem)"
        case .diskInPod(let path): "root file system \(path): a disk cannot be added to a sandbox that runs"
        case .sandboxGone(let id): "sandbox \(id) has ended"
        case .shares(let operation, let errno): "\(operation) the shared directory tree of the sandbox: \(errno)"
        case .processFile(let path, let errno): "process file \(path): \(errno)"
        case .signal(let number, let errno): "signal \(number): \(errno)"
        case .cleanUp(let path, let errno): "clean up \(path): \(errno)"
        case .stillRunning(let id): "container \(id) does not end"
        case .notRunning(let id): "container with id \(id) is not running"
        case .intervalNotPositive: "duration interval must be greater than 0"
        case .statistics(let file, let line): "guest agent: \(file): line \(line) is malformed"
        case .statisticsTooLong(let file): "guest agent: \(file) is too long"
        case .watch(let errno): "watch the container: \(errno)"
        case .monitor(let operation, let errno): "the monitor's report: \(operation): \(errno)"
        case .monitorReport(let error): "the monitor's report: \(error)"
        }
    }
}

/// Runs `body`, whose errors `wrap` makes the runtime's.
func wrapping<Result: ~Copyable, Failure: Error>(
    _ wrap: (Failure) -> RuntimeError, _ body: () throws(Failure) -> Result
) throws(RuntimeError) -> Result {
    do { return try body() } catch { throw wrap(error) }
}
