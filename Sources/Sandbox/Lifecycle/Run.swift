import Linux
import RuntimeState

extension Runtime {
    /// Makes a container and starts it.
    ///
    /// - Returns: the exit status of its process as a shell would report it, once it has ended and, unless the
    ///   request keeps it, been deleted; 0 at once where the request detaches.
    public func run(_ request: RunRequest) throws(RuntimeError) -> Int32 {
        let proxy = try startMade(try make(request.create, detaches: request.detaches))
        if request.detaches { return 0 }
        let status = try foreground(proxy)
        if !request.keeps { try delete(request.create.id, force: true) }
        return status
    }

    /// Starts what was just made, or takes it away again.
    ///
    /// - Returns: the proxy's pid; the container's lock is let go.
    private func startMade(_ made: consuming MadeContainer) throws(RuntimeError) -> Int32 {
        let proxy = made.proxy
        let record = try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in try made.directory.record() }
        do throws(RuntimeError) {
            try start(record, made.directory)
        } catch {
            try? endContainer(record)
            try? remove(record, made.directory)
            _ = try? Process.wait(for: proxy)
            throw error
        }
        return proxy
    }
}
