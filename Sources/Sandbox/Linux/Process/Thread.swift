// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// A thread of this process, pthreads(7). It is joined by its owner, once.
public struct Thread: ~Copyable, @unchecked Sendable {
    // @unchecked: the identifier is a plain number, and joining is consuming.
    private let identifier: pthread_t

    private final class Body {
        let name: String
        let run: () -> Void

        init(name: String, run: @escaping () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Starts `body` on a thread of its own.
    ///
    /// - Parameter name: as ps shows it, at most 15 bytes.
    public init(named name: String, _ body: sending @escaping () -> Void) throws(Errno) {
        let box = unsafe Unmanaged.passRetained(Body(name: name, run: body))
        var identifier = pthread_t()
        // The retained box is taken over by the thread, or released here if the thread was not made.
        let result = unsafe pthread_create(
            &identifier, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let body = unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                Process.setName(body.name)
                body.run()
                return nil
            }, box.toOpaque())
        guard result == 0 else {
            unsafe box.release()
            throw Errno(rawValue: result)
        }
        self.identifier = identifier
    }

    /// Makes `directory` the place where the calling thread, and none other of the process, looks names up:
    /// unshare(2) with CLONE_FS, then chdir(2).
    public static func enter(directory: String) throws(Errno) {
        try syscall(__NR_unshare, 0x200)
        try withPath(directory) { (path) throws(Errno) in _ = try syscall(__NR_chdir, path) }
    }

    /// Waits for the thread to end.
    public consuming func join() {
        _ = pthread_join(identifier, nil)
    }
}
