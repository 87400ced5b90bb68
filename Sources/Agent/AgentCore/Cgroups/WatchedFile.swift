// SPDX-License-Identifier: Apache-2.0
import Linux

/// A file of the kernel's that says when it has changed: cgroup.events, memory.events.
final class WatchedFile {
    private let loop: EventLoop
    private let file: FileDescriptor
    private var watch: EventLoop.Watch?

    /// nil where the file is not there: its controller is not.
    init?(_ loop: EventLoop, _ name: String, at directory: BorrowedDescriptor, whenChanged: @escaping () -> Void) {
        guard let file = try? FileDescriptor.open(name, at: directory) else { return nil }
        self.loop = loop
        self.file = file
        arm()
        // EPOLLPRI: the contents are not those that were read last.
        watch = try? loop.watch(self.file.borrowed, .urgent) { [weak self] _ in
            self?.arm()
            whenChanged()
        }
    }

    /// Reads the file, so that the next change is one.
    private func arm() {
        try? file.rewind()
        _ = try? file.read(upTo: 4096)
    }

    func stop() {
        if let watch { loop.ignore(watch) }
        watch = nil
    }
}
