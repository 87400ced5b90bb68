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
            // Without a record there is nothing to find but the directory itself.
            guard force || error == .doesNotExist else { throw .state(error) }
            log(.warning, "\(error)")
            return try remove(directory)
        }
        try check(force ? .forceDelete : .delete, record)
        if force || record.currentStatus == .created { try endSandbox(of: record) }
        try remove(record, directory)
    }
}
