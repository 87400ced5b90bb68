// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux

/// What is left of a proxy whose process has ended: it carries the rest of that one's output, and what others write who
/// hold its streams, for as long as there are writers and readers. It is in the container's cgroup, and goes with it.
enum StreamRelay {
    /// Leaves a copy of this process behind, which carries `output` and `error`.
    ///
    /// - Parameter namespaces: what keeps the namespaces that both are in.
    /// - Returns: false where there can be none: it could not be forked, or would end with this process, since that is
    ///   the first of a pid namespace.
    static func leave(
        _ output: inout StreamPump?, _ error: inout StreamPump?, _ namespaces: BorrowedDescriptor?
    ) -> Bool {
        guard getpid() != 1, let fork = try? Process.fork() else { return false }
        if case .parent = fork { return true }
        do throws(Errno) {
            try standAlone(
                keeping: [descriptors(of: output), descriptors(of: error), namespaces.map { [$0] } ?? []]
                    .flatMap { $0 })
            output?.collects = false
            error?.collects = false
            while output != nil || error != nil { try turn(&output, &error) }
        } catch {
            Process.exitNow(1)
        }
        Process.exitNow(0)
    }

    private static func descriptors(of pump: borrowing StreamPump?) -> [BorrowedDescriptor] {
        switch pump {
        case .none: []
        case .some(let pump): [pump.source.borrowed, pump.sink.borrowed]
        }
    }

    /// Nothing of the proxy's is kept but the streams: not the sandbox's lifeline, not the caller's terminal and its keys.
    private static func standAlone(keeping kept: [BorrowedDescriptor]) throws(Errno) {
        // Standard output is /dev/null; by its name it could be anything in here.
        for number: Int32 in [0, 2] { try FileDescriptor.assign(number, from: BorrowedDescriptor.standardOutput) }
        try Process.closeDescriptors(from: 3, except: kept)
        try? Process.startSession()
        try Process.changeDirectory(to: "/")
        _ = signal(SIGPIPE, SIG_IGN)
        try SignalMask.set(.none)
    }

    private static func turn(_ output: inout StreamPump?, _ error: inout StreamPump?) throws(Errno) {
        let none = pollfd(fd: -1, events: 0, revents: 0)
        var entries: [pollfd] = []
        for interest in [output?.interest, error?.interest] {
            entries += [interest?.source ?? none, interest?.sink ?? none]
        }
        // The kernel writes within the array, whose length it is given.
        guard unsafe poll(&entries, nfds_t(entries.count), -1) >= 0 else {
            if errno == EINTR { return }
            throw Errno(rawValue: errno)
        }
        if entries[0].revents | entries[1].revents != 0 {
            _ = output?.noteSink(entries[1].revents)
            _ = output?.advance()
        }
        if entries[2].revents | entries[3].revents != 0 {
            _ = error?.noteSink(entries[3].revents)
            _ = error?.advance()
        }
        if output?.isFinished ?? false { output = nil }
        if error?.isFinished ?? false { error = nil }
    }
}
