public import Linux
public import SandboxPlan

extension JailPlan {
    /// Starts fc-jailer, the program at `path`, with this plan, and waits until the jail runs or has failed.
    ///
    /// The descriptors the plan names are handed down under their own numbers and stay the caller's. fc-jailer's
    /// standard error is the caller's, for a command line it cannot read; all else it says on the status
    /// descriptor, as ``JailStatus`` lines.
    ///
    /// - Returns: how fc-jailer ended; code 0: every program runs, and the supervisor's parent is whoever reaps
    ///   the caller's orphans.
    public func start(jailer path: String) throws(Errno) -> Process.ExitStatus {
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        var descriptors: [Int32: Int32] = [0: null.rawValue, 1: null.rawValue]
        for number in inheritedDescriptors { descriptors[number] = number }
        let pid = try Process.spawn(path, arguments, descriptors: descriptors)
        guard let ended = try Process.wait(for: pid) else { throw .noChild }
        return ended.status
    }
}
