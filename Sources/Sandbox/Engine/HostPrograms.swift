import CLinux
import Glibc
import Linux

/// The programs' and files' part of the probe.
extension HostProbe {
    static func file(_ name: String, _ path: String, cure: String) -> HostItem {
        do {
            let file = try FileDescriptor.open(path)
            guard try !Directory.isDirectory(file.rawValue) else { throw Errno.isDirectory }
            return HostItem(name, .available(detail: path))
        } catch {
            return HostItem(name, .missing(cause: "\(path): \(error)", cure: cure))
        }
    }

    static func program(_ name: String, _ path: String) -> HostItem {
        // access(2) reads the string and keeps nothing.
        guard unsafe access(path, X_OK) == 0 else {
            return HostItem(name, .missing(cause: "\(path): \(Errno(rawValue: errno))", cure: "install it there"))
        }
        return HostItem(name, .available(detail: path))
    }

    /// QEMU, its version, and the devices of it that we are the back-end of.
    static func qemu(_ path: String) -> [HostItem] {
        let install = "install Debian's package qemu-system-x86"
        guard unsafe access(path, X_OK) == 0 else {
            return [HostItem("qemu", .missing(cause: "\(path): \(Errno(rawValue: errno))", cure: install))]
        }
        guard let output = output(of: path, ["--version"]) else {
            return [HostItem("qemu", .missing(cause: "\(path) does not start", cure: install))]
        }
        let version = output.split(separator: "\n").first.map(String.init) ?? ""
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

    /// What the program writes on its standard output, at most 1 MiB and within ten seconds; nil where it does
    /// not start, takes longer, or ends with an error.
    static func output(of path: String, _ arguments: [String]) -> String? {
        guard let pipe = try? FileDescriptor.pipe() else { return nil }
        let reader = pipe.reader
        let writer = pipe.writer
        guard let null = try? FileDescriptor.open("/dev/null", .readWrite),
            let pid = try? Process.spawn(
                path, arguments, descriptors: [0: null.rawValue, 1: writer.rawValue, 2: null.rawValue])
        else { return nil }
        _ = consume writer
        var bytes: [UInt8] = []
        var hasEnded = false
        if let epoll = try? Epoll(), (try? epoll.add(reader.rawValue, .readable, token: 0)) != nil {
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
