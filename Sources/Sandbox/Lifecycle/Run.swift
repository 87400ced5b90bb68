import Linux
import RuntimeState

extension Runtime {
    /// Makes a container and starts it.
    ///
    /// - Returns: the exit status of its process as a shell would report it, once it has ended and, unless the
    ///   request keeps it, been deleted; 0 at once where the request detaches.
    public func run(_ request: RunRequest) throws(RuntimeError) -> Int32 {
        let id = try containerID(request.create.id)
        let (directory, proxy) = try make(request.create, detaches: request.detaches)
        do {
            let record = try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in try directory.record() }
            try start(record, directory)
        } catch {
            try? endSandbox(of: record(id))
            try? delete(id, directory)
            _ = try? Process.wait(for: proxy)
            throw error
        }
        unlock(directory)
        if request.detaches { return 0 }
        let status = try foreground(proxy)
        if !request.keeps { try delete(request.create.id, force: true) }
        return status
    }

    /// Lets go of the container's lock.
    private func unlock(_ directory: consuming ContainerDirectory) {}

    private func delete(_ id: ContainerID, _ directory: consuming ContainerDirectory) throws(RuntimeError) {
        try remove(record(id), directory)
    }
}
