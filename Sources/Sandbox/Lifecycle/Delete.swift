import RuntimeState

extension Runtime {
    /// Forgets a stopped container; with `force`, ends it first, whatever state it is in, and is content with
    /// one that does not exist.
    public func delete(_ id: String, force: Bool) throws(RuntimeError) {
        let id = try containerID(id)
        let directory: ContainerDirectory
        do {
            directory = try states.lock(id)
        } catch .doesNotExist where force {
            return
        } catch {
            throw .state(error)
        }
        let record: ContainerRecord
        do {
            record = try directory.record()
        } catch {
            // Without a record there is nothing to find but the directory itself.
            guard force || error == .doesNotExist else { throw .state(error) }
            log(.warning, "\(error)")
            try wrapping(RuntimeError.state, { () throws(RuntimeStateError) in try directory.remove() })
            return
        }
        try check(force ? .forceDelete : .delete, record)
        if force || record.currentStatus == .created { try endSandbox(of: record) }
        try remove(record, directory)
    }
}
