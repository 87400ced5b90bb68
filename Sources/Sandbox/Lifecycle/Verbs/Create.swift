// SPDX-License-Identifier: Apache-2.0
import RuntimeState

extension Runtime {
    /// Makes a container: its sandbox boots, or it joins the one that its annotations name, and everything is ready for
    /// its program to start.
    ///
    /// - Returns: the pid of the fc-proxy that stands for the program, which is this process's child.
    @discardableResult
    public func create(_ request: CreateRequest) throws(RuntimeError) -> Int32 {
        let made = try make(request, detaches: true)
        return made.proxy
    }

    /// Makes a container and leaves its directory locked, its proxy running as this process's child. Where that
    /// fails, nothing of it is left.
    func make(_ request: CreateRequest, detaches: Bool) throws(RuntimeError) -> MadeContainer {
        let launch = try Launch(request, detaches: detaches, by: self)
        var container = try launch.begin()
        do {
            let proxy = try launch.run(&container)
            return MadeContainer(container: container, proxy: proxy)
        } catch {
            // The first error is the one to tell.
            undo(container, launch.bundle.spec)
            throw error
        }
    }
}
