// SPDX-License-Identifier: Apache-2.0
import Linux
import OCISpec
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
        if let record = try? record(containerID(request.create.id)) { awaitRelays(of: record) }
        if !request.keeps { try delete(request.create.id, force: true) }
        return status
    }

    /// Starts what was just made, or takes it away again.
    ///
    /// - Returns: the proxy's pid; the container's lock is let go.
    private func startMade(_ made: consuming MadeContainer) throws(RuntimeError) -> Int32 {
        let proxy = made.proxy
        var container = made.takeContainer()
        do throws(RuntimeError) {
            try start(&container)
        } catch {
            undo(container, try? containerDocument(container.record))
            _ = try? Process.wait(for: proxy)
            throw error
        }
        return proxy
    }

    /// Takes away a container that could not be made or started, with whatever there is of it.
    func undo(_ container: consuming LockedContainer, _ spec: Spec?) {
        let record = container.record
        let teardown = Teardown(self)
        try? teardown.end(record)
        try? teardown.remove(container)
        // What hooks have made, hooks take away.
        if record.process != nil, let spec { runPoststopHooks(of: record, spec) }
    }
}
