// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux

let isRoot = geteuid() == 0

/// Runs `body` on a thread whose mounts and current directory are its own, and gives its answer.
func privately<Answer: Sendable>(_ body: @escaping @Sendable () -> Answer) throws -> Answer {
    let outcome = Outcome<Answer>()
    let thread = try Thread(named: "mounts") { outcome.run(body) }
    thread.join()
    return try outcome.value.get()
}

/// Written by the thread, and read once it has been joined.
private final class Outcome<Value: Sendable>: @unchecked Sendable {
    var value: Result<Value, Errno> = .failure(.inputOutput)

    func run(_ body: () -> Value) {
        do throws(Errno) {
            try enterPrivateMounts()
            value = .success(body())
        } catch {
            value = .failure(error)
        }
    }
}

private func enterPrivateMounts() throws(Errno) {
    try Process.unshare(.mount)
    let root = try FileDescriptor.open("/", [.path, .directory])
    try Mount.setAttributes(at: root.borrowed, propagation: .private, recursive: true)
}

/// The mounts at or below `path` that the calling thread sees: where, and of what kind.
func mountedPlaces(below path: String) -> [String] {
    let bytes = (try? FileDescriptor.open("/proc/thread-self/mountinfo").readAll(limit: 1 << 20)) ?? []
    if bytes.isEmpty { return ["?"] }
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
    try Mount.attach(mount.borrowed, on: place.borrowed)
}

/// What a directory holds.
func names(in path: String) -> [String] {
    guard let directory = try? FileDescriptor.open(path, .directory) else { return ["?"] }
    return ((try? Directory.entries(of: directory.borrowed)) ?? []).map(\.name)
}
