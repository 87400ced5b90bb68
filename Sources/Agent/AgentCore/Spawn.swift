import Linux

/// Forking into namespaces, for a process without threads.
enum Spawn {
    /// Forks; `body` is the new process. It is the caller's child in any case.
    ///
    /// - Parameters:
    ///   - namespaces: new ones for the process.
    ///   - cgroup: the open directory of the cgroup it begins in; nil: the agent's.
    ///   - pidNamespace: a pidfd of a process whose pid namespace it joins.
    static func fork(
        namespaces: Process.Namespaces, cgroup: Int32?, pidNamespace: Int32?, _ body: () -> Never
    ) throws(Errno) -> Int32 {
        guard let pidNamespace else {
            switch try Process.fork(namespaces: namespaces, cgroup: cgroup) {
            case .child: body()
            case .parent(let pid): return pid
            }
        }
        // setns(2) into a pid namespace counts for children only: one in between enters, forks a sibling and goes.
        let pipe = try FileDescriptor.pipe()
        let reader = pipe.reader
        let writer = pipe.writer
        switch try Process.fork() {
        case .child:
            var answer: Int32
            do throws(Errno) {
                try Process.enter(pidNamespace, .pid)
                switch try Process.fork(namespaces: namespaces, cgroup: cgroup, asSibling: true) {
                case .child: body()
                case .parent(let pid): answer = pid
                }
            } catch {
                answer = -error.rawValue
            }
            try? writer.writeAll((0..<4).map { UInt8(truncatingIfNeeded: answer >> (8 * $0)) })
            Process.exitNow(0)
        case .parent:
            break
        }
        _ = consume writer
        let bytes = try reader.read(upTo: 4)
        guard bytes.count == 4 else { throw .noSuchProcess }
        let answer = Int32(bitPattern: bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) })
        if answer <= 0 { throw Errno(rawValue: -answer) }
        return answer
    }
}
