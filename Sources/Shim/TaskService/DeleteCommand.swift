import Glibc
import Handshake
import Linux

/// `delete`: containerd calls it when a shim has gone, whatever became of its container. Ends what is left of that
/// and takes it away.
enum DeleteCommand {
    /// - Returns: what to print.
    static func run(_ invocation: Invocation) -> [UInt8] {
        let bundle = invocation.bundle.isEmpty ? currentDirectory() : invocation.bundle
        let log = ShimLog(
            namespace: invocation.namespace, sandbox: invocation.id, isDebug: invocation.isDebug)
        do {
            try Performance(Kept.read(in: bundle), log).remove(invocation.id, bundle)
        } catch {
            // containerd goes on without; the next one who looks is to know.
            log.write(TaskNote(.error, invocation.id, "delete: \(error)"))
        }
        ShimSocket.removeIfStale(invocation, bundle: bundle)
        let now = SystemTime.realtime()
        return Answers.deleted(
            pid: 0, exitStatus: Exit.killedStatus, at: (seconds: now.seconds, nanoseconds: Int32(now.nanoseconds)))
    }

    private static func currentDirectory() -> String {
        guard let path = unsafe getcwd(nil, 0) else { return "/" }
        // getcwd made the string, which is freed here.
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }
}
