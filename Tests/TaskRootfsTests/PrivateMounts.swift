import Glibc
import Linux
import Synchronization

let isRoot = geteuid() == 0

/// Runs `body` on a thread whose mounts and current directory are its own, and gives its answer.
func privately<Answer: Sendable>(_ body: @escaping @Sendable () -> Answer) throws -> Answer {
    let answer = Mutex<Result<Answer, Errno>?>(nil)
    let box = Box(answer)
    let thread = try Thread(named: "mounts") {
        do throws(Errno) {
            try Process.unshare(.mount)
            let root = try FileDescriptor.open("/", [.path, .directory])
            try Mount.setAttributes(at: root.rawValue, propagation: .private, recursive: true)
            let result = body()
            box.value.withLock { $0 = .success(result) }
        } catch {
            box.value.withLock { $0 = .failure(error) }
        }
    }
    thread.join()
    guard let result = box.value.withLock({ $0 }) else { throw Errno.inputOutput }
    return try result.get()
}

private final class Box<Value: Sendable>: Sendable {
    let value: Mutex<Result<Value, Errno>?>

    init(_ value: consuming Mutex<Result<Value, Errno>?>) { self.value = value }
}

/// The mounts at or below `path` that the calling thread sees: where, and of what kind.
func mountedPlaces(below path: String) -> [String] {
    guard let bytes = try? FileDescriptor.open("/proc/thread-self/mountinfo").readAll(limit: 1 << 20) else {
        return ["?"]
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ")
        guard words.count > 8, words[4].hasPrefix(path), let dash = words.firstIndex(of: "-") else { return nil }
        return "\(words[4].dropFirst(path.count)) \(words[dash + 1])"
    }
}

/// Mounts a file system in memory.
func tmpfs(on path: String) throws(Errno) {
    let place = try FileDescriptor.open(path, [.path, .directory])
    let mount = try Mount.make("tmpfs")
    try Mount.attach(mount.rawValue, on: place.rawValue)
}
