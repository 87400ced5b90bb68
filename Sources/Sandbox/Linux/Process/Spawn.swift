// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

extension Process {
    /// posix_spawn(3): starts the program at `path` with nothing of the caller's environment. It does not matter how many
    /// threads the caller has.
    ///
    /// - Parameters:
    ///   - arguments: what follows the program's name.
    ///   - name: the program's own word of its command line; nil: `path`.
    ///   - environment: `NAME=value` strings: all of it.
    ///   - descriptors: what each number is open on there. Other descriptors of the caller's that are not close-on-exec
    ///     stay open there. A number may be handed down as itself.
    ///   - isDetached: it is to live by itself: in a session of its own, every signal as by default and none blocked.
    /// - Returns: its pid. It is the caller's child, detached or not.
    /// - Throws: what the kernel says of the program; `EINVAL` where a string has a NUL in it.
    public static func spawn(
        _ path: String, _ arguments: [String], name: String? = nil, environment: [String] = [],
        descriptors: [Int32: BorrowedDescriptor] = [:], isDetached: Bool = false
    ) throws(Errno) -> Int32 {
        let words = [name ?? path] + arguments
        for string in [path] + words + environment where string.utf8.contains(0) { throw .invalidArgument }
        // Above the numbers there, so that no number is overwritten before it was handed down.
        var moved: [(there: Int32, here: BorrowedDescriptor)] = []
        defer { for descriptor in moved { _ = FileDescriptor(owning: descriptor.here) } }
        let highest = max(descriptors.keys.max() ?? 0, 2)
        for (there, here) in descriptors where there != here.rawValue {
            moved.append((there, try here.duplicate(minimum: highest + 1).release()))
        }
        // The structures are initialized here and destroyed at the end; the strings live as long.
        var actions = unsafe posix_spawn_file_actions_t()
        guard unsafe posix_spawn_file_actions_init(&actions) == 0 else { throw .outOfMemory }
        defer { _ = unsafe posix_spawn_file_actions_destroy(&actions) }
        for descriptor in moved {
            unsafe posix_spawn_file_actions_adddup2(&actions, descriptor.here.rawValue, descriptor.there)
        }
        for (there, here) in descriptors where there == here.rawValue {
            // The same number twice is how close-on-exec is taken off.
            unsafe posix_spawn_file_actions_adddup2(&actions, here.rawValue, there)
        }
        var attributes = posix_spawnattr_t()
        guard unsafe posix_spawnattr_init(&attributes) == 0 else { throw .outOfMemory }
        defer { _ = unsafe posix_spawnattr_destroy(&attributes) }
        if isDetached {
            var signals = sigset_t()
            unsafe sigemptyset(&signals)
            unsafe posix_spawnattr_setsigmask(&attributes, &signals)
            unsafe sigfillset(&signals)
            unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
            // POSIX_SPAWN_SETSIGDEF, _SETSIGMASK and _SETSID, which the C library shows under _GNU_SOURCE only.
            unsafe posix_spawnattr_setflags(&attributes, 0x04 | 0x08 | 0x80)
        }
        var argv = unsafe strings(words)
        var variables = unsafe strings(environment)
        defer { unsafe (argv + variables).forEach { unsafe free($0) } }
        var pid: pid_t = 0
        let result = unsafe posix_spawn(&pid, path, &actions, &attributes, &argv, &variables)
        guard result == 0 else { throw Errno(rawValue: result) }
        return pid
    }

    /// C strings of their own, and a null pointer at the end.
    private static func strings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        unsafe texts.map { text in unsafe strdup(text) } + [nil]
    }
}
