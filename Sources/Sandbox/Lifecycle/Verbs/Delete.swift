// SPDX-License-Identifier: Apache-2.0
import Jailer
import Linux
import RuntimeState

extension Runtime {
    /// Forgets a stopped container; with `force`, ends it first, whatever state it is in, and is content with
    /// one that does not exist.
    public func delete(_ id: String, force: Bool) throws(RuntimeError) {
        let id = try containerID(id)
        do {
            try delete(try states.lock(id), id, force: force)
        } catch let error as RuntimeStateError {
            if force, error == .doesNotExist { return }
            throw .state(error)
        } catch let error as RuntimeError {
            throw error
        } catch {
            throw .stillRunning(id: id.rawValue)
        }
    }

    private func delete(_ directory: consuming ContainerDirectory, _ id: ContainerID, force: Bool) throws(RuntimeError)
    {
        let record: ContainerRecord
        do {
            record = try directory.record()
        } catch {
            guard force || error == .doesNotExist else { throw .state(error) }
            log(.warning, "\(error)")
            // What the record does not tell, the jail's own log does.
            try endUnrecordedSandbox(of: id, MachineFiles(directory: directory.path))
            return try directory.delete()
        }
        // Its creator may have been ended before it could note the jail that it had started.
        if record.supervisor == nil { try endUnrecordedSandbox(of: id, MachineFiles(directory: directory.path)) }
        try check(force ? .forceDelete : .delete, record)
        let teardown = Teardown(self)
        if force || record.currentStatus == .created { try teardown.end(record) }
        // It goes with the directory.
        let spec = try? containerDocument(record)
        try teardown.remove(LockedContainer(directory, record))
        if let spec { runPoststopHooks(of: record, spec) }
    }

    /// Ends the jail that the log of `files` speaks of, if the process of that number still is this container's.
    private func endUnrecordedSandbox(of id: ContainerID, _ files: MachineFiles) throws(RuntimeError) {
        for case .supervisor(let pid) in files.jailStatus {
            guard let identity = ProcessIdentity(of: pid),
                let words = try? FileDescriptor.open("/proc/\(pid)/cmdline").readAll(limit: 4 << 20)
                    .split(separator: 0).map({ String(decoding: $0, as: UTF8.self) }),
                words.starts(with: [options.parts.program("fc-jailer"), "--id", id.rawValue])
            else { continue }
            try identity.end(of: id.rawValue)
        }
    }
}
