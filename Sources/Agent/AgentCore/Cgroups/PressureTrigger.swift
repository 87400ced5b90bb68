// SPDX-License-Identifier: Apache-2.0
import Linux

/// Says when a cgroup's processes stall for want of memory: a trigger on memory.pressure, Documentation/accounting/psi.rst.
final class PressureTrigger {
    /// 50 ms in half a second, the shortest window there is: a program that thrashes does so for longer, also where the kernel is
    /// translated. A container that is left with enough never gets there.
    private static let trigger = "some 50000 500000"

    private let loop: EventLoop
    private let file: FileDescriptor
    private var watch: EventLoop.Watch?

    /// nil where the kernel does not tell, or its command line keeps it from it.
    init?(_ loop: EventLoop, at cgroup: BorrowedDescriptor, whenStalled: @escaping () -> Void) {
        guard let file = try? FileDescriptor.open("memory.pressure", at: cgroup, [.readWrite, .nonBlocking]),
            (try? file.writeAll(Array(Self.trigger.utf8))) != nil
        else { return nil }
        self.loop = loop
        self.file = file
        // EPOLLPRI, once for each window in which it was so; EPOLLERR once the cgroup has gone.
        watch = try? loop.watch(self.file.borrowed, .urgent) { [weak self] events in
            if events.contains(.error) { self?.stop() } else { whenStalled() }
        }
    }

    func stop() {
        if let watch { loop.ignore(watch) }
        watch = nil
    }
}
