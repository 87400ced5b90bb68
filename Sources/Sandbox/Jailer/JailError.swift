// SPDX-License-Identifier: Apache-2.0
public import Linux

/// Why a jail is not made from a JailPlan; a case for each step.
public enum JailError: Error, Hashable, Sendable {
    // The command line.
    case unknownWord(String)
    case missingValue(of: String)
    case badValue(String, of: String)
    case repeatedWord(String)
    case missingWord(String)
    case wordBeforeProcess(String)
    case tooMany(String, limit: Int)

    // fc-jailer itself.
    case closeInherited(Errno)
    case openNull(Errno)
    case openProcesses(Errno)
    case openExecutable(path: String, Errno)
    case openMount(path: String, Errno)
    /// A descriptor that a jailed program may not inherit, and what it is open on.
    case badDescriptor(process: String, number: Int32, kind: String)
    case inspectDescriptor(process: String, number: Int32, Errno)
    case joinCgroup(descriptor: Int32, Errno)
    case joinNetworkNamespace(descriptor: Int32, Errno)
    case forkSupervisor(Errno)
    case awaitSupervisor(Errno)

    // The supervisor, and each process before its exec.
    case startSession(Errno)
    case leaveMounts(Errno)
    case makePrivate(Errno)
    case makeRoot(Errno)
    case makePlace(path: String, Errno)
    case placeOutsideRoot(path: String)
    case mount(path: String, Errno)
    case pivot(Errno)
    case sealMount(path: String, Errno)
    case forkProcess(Errno)
    case findPID(Errno)
    case inheritDescriptor(source: Int32, target: Int32, Errno)
    case closeDescriptors(Errno)
    case limit(resource: UInt32, Errno)
    case setGroups(Errno)
    case setGroup(UInt32, Errno)
    case setUser(UInt32, Errno)
    case dropCapabilities(Errno)
    case setParentDeathSignal(Errno)
    case setNoNewPrivileges(Errno)
    case execute(path: String, Errno)
    case watch(String, Errno)
}

extension JailError: CustomStringConvertible {
    /// For a person.
    public var description: String {
        switch self {
        case .unknownWord(let word): "unknown argument \"\(word)\""
        case .missingValue(let word): "\(word): a value is missing"
        case .badValue(let value, let word): "\(word): \"\(value)\" is not a valid value"
        case .repeatedWord(let word): "\(word) is given twice"
        case .missingWord(let word): "\(word) is missing"
        case .wordBeforeProcess(let word): "\(word) belongs after a --process"
        case .tooMany(let word, let limit): "more than \(limit) of \(word)"
        case .closeInherited(let error): "close inherited descriptors: \(error)"
        case .openNull(let error): "open /dev/null: \(error)"
        case .openProcesses(let error): "open /proc: \(error)"
        case .openExecutable(let path, let error): "open executable \(path): \(error)"
        case .openMount(let path, let error): "open \(path): \(error)"
        case .badDescriptor(let process, let number, let kind):
            "\(process): descriptor \(number) is open on \(kind), through which a jail could be left"
        case .inspectDescriptor(let process, let number, let error):
            "\(process): inspect descriptor \(number): \(error)"
        case .joinCgroup(let descriptor, let error): "join cgroup (descriptor \(descriptor)): \(error)"
        case .joinNetworkNamespace(let descriptor, let error):
            "join network namespace (descriptor \(descriptor)): \(error)"
        case .forkSupervisor(let error): "start the supervisor: \(error)"
        case .awaitSupervisor(let error): "wait for the supervisor: \(error)"
        case .startSession(let error): "start a session: \(error)"
        case .leaveMounts(let error): "enter the mount namespace's root: \(error)"
        case .makePrivate(let error): "make mounts private: \(error)"
        case .makeRoot(let error): "make the root tmpfs: \(error)"
        case .makePlace(let path, let error): "make mount point \(path): \(error)"
        case .placeOutsideRoot(let path): "make mount point \(path): it would be in a directory of the host"
        case .mount(let path, let error): "mount \(path): \(error)"
        case .pivot(let error): "pivot to the new root: \(error)"
        case .sealMount(let path, let error): "set attributes of mount \(path): \(error)"
        case .forkProcess(let error): "fork: \(error)"
        case .findPID(let error): "find the host's pid: \(error)"
        case .inheritDescriptor(let source, let target, let error):
            "duplicate descriptor \(source) as \(target): \(error)"
        case .closeDescriptors(let error): "close descriptors: \(error)"
        case .limit(let resource, let error): "lower resource limit \(resource): \(error)"
        case .setGroups(let error): "drop supplementary groups: \(error)"
        case .setGroup(let gid, let error): "become group \(gid): \(error)"
        case .setUser(let uid, let error): "become user \(uid): \(error)"
        case .dropCapabilities(let error): "drop capabilities: \(error)"
        case .setParentDeathSignal(let error): "set the parent death signal: \(error)"
        case .setNoNewPrivileges(let error): "set no_new_privs: \(error)"
        case .execute(let path, let error): "execute \(path): \(error)"
        case .watch(let name, let error): "watch \(name): \(error)"
        }
    }
}

/// Runs one step, whose error is `failure`.
func attempt<Result: ~Copyable>(
    _ failure: (Errno) -> JailError, _ step: () throws(Errno) -> Result
) throws(JailError) -> Result {
    do { return try step() } catch { throw failure(error) }
}

/// The value of one step, whose error is `failure`.
func attempt<Result: ~Copyable>(
    _ failure: (Errno) -> JailError, _ step: @autoclosure () throws(Errno) -> Result
) throws(JailError) -> Result {
    do { return try step() } catch { throw failure(error) }
}
