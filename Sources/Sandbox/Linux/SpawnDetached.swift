import CLinux
import Glibc

extension Process {
    /// posix_spawn(3) of a program that is to live by itself: in a session of its own, every signal as by default
    /// and none blocked, with `descriptors` as its 0, 1, 2 and so on, in this order. Whatever else the caller has
    /// open must be close-on-exec. It does not matter how many threads the caller has.
    ///
    /// - Parameters:
    ///   - arguments: all of them, the program's name first.
    ///   - environment: `NAME=value` strings: all of it.
    /// - Returns: its pid; it stays the caller's child.
    public static func spawnDetached(
        _ path: String, arguments: [String], environment: [String], descriptors: [Int32]
    ) throws(Errno) -> Int32 {
        for string in [path] + arguments + environment where string.utf8.contains(0) { throw .invalidArgument }
        // Above the numbers there, so that no number is overwritten before it was handed down.
        var moved: [Int32] = []
        defer { for number in moved { _ = FileDescriptor(owning: number) } }
        for number in descriptors {
            moved.append(try FileDescriptor.duplicate(of: number, minimum: Int32(max(descriptors.count, 3))).release())
        }
        // The structures are initialized here and destroyed at the end; the strings live as long.
        var actions = unsafe posix_spawn_file_actions_t()
        guard unsafe posix_spawn_file_actions_init(&actions) == 0 else { throw .outOfMemory }
        defer { _ = unsafe posix_spawn_file_actions_destroy(&actions) }
        for (there, here) in moved.enumerated() {
            unsafe posix_spawn_file_actions_adddup2(&actions, here, Int32(there))
        }
        var attributes = posix_spawnattr_t()
        guard unsafe posix_spawnattr_init(&attributes) == 0 else { throw .outOfMemory }
        defer { _ = unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        // POSIX_SPAWN_SETSIGDEF, _SETSIGMASK and _SETSID, which the C library shows under _GNU_SOURCE only.
        unsafe posix_spawnattr_setflags(&attributes, 0x04 | 0x08 | 0x80)
        var words = unsafe strings(arguments)
        var variables = unsafe strings(environment)
        defer { unsafe (words + variables).forEach { unsafe free($0) } }
        var pid: pid_t = 0
        let result = unsafe posix_spawn(&pid, path, &actions, &attributes, &words, &variables)
        guard result == 0 else { throw Errno(rawValue: result) }
        return pid
    }
}
