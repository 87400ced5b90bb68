import CLinux
import Glibc

extension Process {
    /// posix_spawn(3): starts the program at `path` and returns its pid. It does not matter how many threads
    /// the caller has.
    ///
    /// - Parameters:
    ///   - arguments: what follows the program's name.
    ///   - environment: `NAME=value` strings: all of it, nothing is the caller's.
    ///   - descriptors: which descriptor of the caller's each number there is to be; all others that are not
    ///     close-on-exec stay as they are. A number may be handed down as itself.
    public static func spawn(
        _ path: String, _ arguments: [String], environment: [String] = [], descriptors: [Int32: Int32] = [:]
    ) throws(Errno) -> Int32 {
        for string in [path] + arguments + environment where string.utf8.contains(0) { throw .invalidArgument }
        // Out of the way of the numbers there, so that no number is overwritten before it was handed down.
        var moved: [(there: Int32, here: Int32)] = []
        defer { for descriptor in moved { _ = FileDescriptor(owning: descriptor.here) } }
        let highest = max(descriptors.keys.max() ?? 0, 2)
        for (there, here) in descriptors where there != here {
            moved.append((there, try FileDescriptor.duplicate(of: here, minimum: highest + 1).release()))
        }
        // The structure is initialized here and destroyed at the end; the strings live as long.
        var actions = unsafe posix_spawn_file_actions_t()
        guard unsafe posix_spawn_file_actions_init(&actions) == 0 else { throw .outOfMemory }
        defer { _ = unsafe posix_spawn_file_actions_destroy(&actions) }
        for descriptor in moved {
            unsafe posix_spawn_file_actions_adddup2(&actions, descriptor.here, descriptor.there)
        }
        for (there, here) in descriptors where there == here {
            // The same number twice is how close-on-exec is taken off.
            unsafe posix_spawn_file_actions_adddup2(&actions, here, there)
        }
        var words = unsafe strings([path] + arguments)
        var variables = unsafe strings(environment)
        defer { unsafe (words + variables).forEach { unsafe free($0) } }
        var pid: pid_t = 0
        let result = unsafe posix_spawn(&pid, path, &actions, nil, &words, &variables)
        guard result == 0 else { throw Errno(rawValue: result) }
        return pid
    }

    /// C strings of their own, and a null pointer at the end.
    static func strings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        unsafe texts.map { text in unsafe strdup(text) } + [nil]
    }
}
