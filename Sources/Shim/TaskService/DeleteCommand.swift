// SPDX-License-Identifier: Apache-2.0
import Glibc
import Handshake
import Linux

/// `delete`: containerd calls it when a shim has gone, whatever became of its container. Ends what is left of that
/// and takes it away.
enum DeleteCommand {
    /// - Returns: what to print.
    static func run(_ invocation: Invocation) -> [UInt8] {
        let bundle = invocation.bundle ?? currentDirectory()
        let log = ShimLog(
            namespace: invocation.namespace, sandbox: invocation.id, isDebug: invocation.isDebug)
        do {
            try RuntimeCall(StoredSettings.read(in: bundle), log).remove(invocation.id, bundle)
        } catch {
            // containerd goes on without; the next one who looks is to know.
            log.write(TaskNote(.error, invocation.id, "delete: \(error)"))
        }
        do {
            let directory = try FileDescriptor.open(bundle, [.directory, .path])
            try ShimSocket.removeStale(bundle: directory.borrowed)
        } catch {
            log.write(TaskNote(.warning, invocation.id, "delete: \(error)"))
        }
        let exit = Exit(now: Exit.killedStatus)
        return Answers.deleted(
            pid: 0, exitStatus: exit.status, seconds: exit.seconds, nanoseconds: exit.nanoseconds)
    }

    private static func currentDirectory() -> String {
        guard let path = unsafe getcwd(nil, 0) else { return "/" }
        // getcwd made the string, which is freed here.
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }
}
