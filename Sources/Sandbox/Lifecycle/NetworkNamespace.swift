import CLinux
import Glibc
import Linux
import OCISpec

/// The host's side of the document's network namespace.
enum NetworkNamespace {
    /// The namespace the document names by path; nil where it names none, and the sandbox gets an empty one.
    ///
    /// Interfaces in it are not carried into the virtual machine yet, so one that has any beside loopback is refused:
    /// a container without the network it was given is not what was asked for.
    static func open(_ spec: Spec) throws(RuntimeError) -> FileDescriptor? {
        guard let path = spec.linux?.namespaces.first(where: { $0.type == .network })?.path, !path.isEmpty else {
            return nil
        }
        let namespace = try wrapping({ .networkNamespace(path: path, $0) }) { () throws(Errno) in
            try FileDescriptor.open(path, [])
        }
        let interfaces = try wrapping({ .networkNamespace(path: path, $0) }) { () throws(Errno) -> [String] in
            try Self.interfaces(in: namespace.rawValue)
        }
        guard interfaces.isEmpty else { throw .networkNotCarried(path: path, interfaces: interfaces) }
        return namespace
    }

    /// The names of the interfaces in the namespace, without `lo` and the kernel's own tunnels (`sit0` and its
    /// kin, which every namespace has where the module is loaded and which are down). Read by a child process:
    /// this one stays in its own namespace.
    private static func interfaces(in namespace: Int32) throws(Errno) -> [String] {
        let pipe = try FileDescriptor.pipe()
        switch try Process.fork() {
        case .child:
            let text = (try? Process.enter(namespace, .network)).flatMap {
                try? FileDescriptor.open("/proc/self/net/dev").readAll(limit: 1 << 20)
            }
            // An empty answer is told apart from none by its first byte.
            try? pipe.writer.writeAll(text.map { [1] + $0 } ?? [0])
            Process.exitNow(0)
        case .parent(let pid):
            let reader = reader(of: pipe)
            let answer = try reader.readAll(limit: 1 << 20)
            _ = try Process.wait(for: pid)
            guard answer.first == 1 else { throw .invalidArgument }
            // Two lines of headings, then `name: counters` a line.
            return answer.dropFirst().split(separator: 10).dropFirst(2).compactMap { line in
                let name = String(decoding: line.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
                    .split(separator: " ").joined()
                return kernelOwn.contains(name) ? nil : name
            }
        }
    }

    private static let kernelOwn: Set<String> = [
        "lo", "sit0", "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "ip6tnl0", "ip6gre0",
    ]

    private static func reader(of pipe: consuming Pipe) -> FileDescriptor { pipe.reader }
}
