// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// The programs' and files' part of the probe.
extension HostProbe {
    static func file(_ name: String, _ path: String, cure: String) -> HostItem {
        do {
            let file = try FileDescriptor.open(path)
            guard try !Directory.isDirectory(file.borrowed) else { throw Errno.isDirectory }
            return HostItem(name, .available(detail: path))
        } catch {
            return HostItem(name, .missing(cause: "\(path): \(error)", cure: cure))
        }
    }

    static func program(_ name: String, _ path: String) -> HostItem {
        guard isAccessible(path, X_OK) else {
            return HostItem(name, .missing(cause: "\(path): \(Errno(rawValue: errno))", cure: "install it there"))
        }
        return HostItem(name, .available(detail: path))
    }

    /// QEMU, its version, and those of its devices whose back-ends are ours.
    static func qemu(_ path: String) -> [HostItem] {
        let install = "install Debian's package qemu-system-x86"
        guard isAccessible(path, X_OK) else {
            return [HostItem("qemu", .missing(cause: "\(path): \(Errno(rawValue: errno))", cure: install))]
        }
        guard let output = output(of: path, ["--version"]) else {
            return [HostItem("qemu", .missing(cause: "\(path) does not start", cure: install))]
        }
        let version = output.split(at: "\n").first.map(String.init) ?? ""
        let devices = self.output(of: path, ["-device", "help"]) ?? ""
        let needed = ["vhost-user-fs-pci", "vhost-user-vsock-pci", "vhost-user-blk-pci"]
        let absent = needed.filter { !devices.contains("\"\($0)\"") }
        let state: HostItem.State =
            absent.isEmpty
            ? .available(detail: needed.joined(separator: ", "))
            : .missing(cause: "\(path) lacks \(absent.joined(separator: ", "))", cure: install)
        return [
            HostItem("qemu", .available(detail: "\(path): \(version)")),
            HostItem("qemu's vhost-user devices", state),
        ]
    }

    /// The program's standard output, at most 1 MiB and within ten seconds; nil if it does not start, takes longer,
    /// or exits with an error.
    static func output(of path: String, _ arguments: [String]) -> String? {
        guard let pipe = try? FileDescriptor.pipe() else { return nil }
        let reader = pipe.reader
        let writer = pipe.writer
        guard let null = try? FileDescriptor.open("/dev/null", .readWrite),
            let pid = try? Process.spawn(
                path, arguments, descriptors: [0: null.borrowed, 1: writer.borrowed, 2: null.borrowed])
        else { return nil }
        _ = consume writer
        var bytes: [UInt8] = []
        var hasEnded = false
        if let epoll = try? Epoll(), (try? epoll.add(reader.borrowed, .readable, token: 0)) != nil {
            while let events = try? epoll.wait(milliseconds: 10_000), !events.isEmpty, bytes.count < 1 << 20 {
                guard let chunk = try? reader.read(upTo: 65536), !chunk.isEmpty else {
                    hasEnded = true
                    break
                }
                bytes += chunk
            }
        }
        if !hasEnded { try? Process.kill(pid, SIGKILL) }
        guard let ended = try? Process.wait(for: pid), ended.status == .exited(code: 0), hasEnded else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
