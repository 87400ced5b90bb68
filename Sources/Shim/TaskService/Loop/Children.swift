// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux

/// What the shim's signals tell it: children that ended, and that it is to end itself.
final class Children {
    private let signals: SignalDescriptor
    /// Called for every child that ended, whatever started it: the shim adopts what its verbs leave behind.
    var onEnd: (Int32, Process.ExitStatus) -> Void = { _, _ in }
    /// Told of SIGTERM and SIGINT.
    var onTermination: () -> Void = {}

    /// Blocks all signals and makes this process the one that orphans below it are given to, PR_SET_CHILD_SUBREAPER
    /// of prctl(2).
    init() throws(Errno) {
        signals = try SignalDescriptor()
        try Process.adoptOrphans()
    }

    func join(_ loop: ShimLoop) throws(Errno) {
        _ = try loop.watch(signals.descriptor.borrowed, .readable) { [unowned self] _ in takeSignals() }
    }

    private func takeSignals() {
        while let received = signals.next() {
            switch received.signal {
            case SIGTERM, SIGINT: onTermination()
            // One signal may stand for several children, so the kernel is asked below.
            default: continue
            }
        }
        reap()
    }

    /// Takes note of every child that has ended by now.
    func reap() {
        while let ended = try? Process.wait(blocks: false) { onEnd(ended.pid, ended.status) }
    }
}
