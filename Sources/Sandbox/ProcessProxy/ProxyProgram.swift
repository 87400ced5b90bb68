// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Glibc
import Linux
import ProgramArguments

/// fc-proxy as it starts: it takes orders over one socket, and ends when that is closed.
///
/// It starts in the host's mount namespace and enters that of the container, whose files are not to be trusted: from
/// then on it opens nothing by name.
enum ProxyProgram {
    /// - Returns: how the process is to end.
    static func run() throws -> ProcessExit.Status {
        let orders = FileDescriptor(owning: ProxyOrder.socket)
        try orders.borrowed.setClosesOnExec(true)
        let files = try HostFiles()
        var namespaces: BorrowedDescriptor?
        guard let (order, descriptors) = try nextOrder(on: orders, &namespaces) else { return .exited(code: 1) }
        switch order.kind {
        case .enter: return .exited(code: 1)
        case .hold:
            _ = consume files
            return hold(orders)
        case .serve:
            _ = consume orders
            let arguments = try ProxyArguments(parsing: order.words, descriptors: descriptors.map(\.rawValue))
            return try ProcessProxy.serve(arguments, namespaces: namespaces, files)
        }
    }

    /// Enters the namespaces of each order to do so, and returns the first order of another kind; nil at the end of the connection.
    ///
    /// - Parameter namespaces: what comes with an order to enter, and is held.
    private static func nextOrder(
        on orders: borrowing FileDescriptor, _ namespaces: inout BorrowedDescriptor?
    ) throws(Errno) -> (ProxyOrder, [BorrowedDescriptor])? {
        while true {
            var descriptors = DescriptorList()
            let bytes = try DescriptorPassing.receive(
                upTo: ProxyOrder.byteLimit, maximum: ProxyOrder.descriptorLimit, descriptors: &descriptors,
                from: orders.borrowed)
            guard let order = ProxyOrder(bytes) else { return nil }
            guard order.kind == .enter else { return (order, descriptors.release()) }
            answer(on: orders.borrowed) { () throws(Errno) in
                guard let target = descriptors.takeFirst() else { throw .invalidArgument }
                try Process.enter(target.borrowed, [.mount, .network, .ipc, .uts, .cgroup])
                if let name = order.words.first { Process.setName(name) }
                _ = consume target
            }
            // Held from here on.
            namespaces = descriptors.release().first
        }
    }

    /// Does as told and says how it went, in one byte.
    private static func answer(on socket: BorrowedDescriptor, _ body: () throws(Errno) -> Void) {
        var answer: UInt8 = 0
        do throws(Errno) { try body() } catch { answer = UInt8(truncatingIfNeeded: error.rawValue) }
        try? DescriptorPassing.send([answer], [], on: socket)
    }

    /// PID 1 of the container's pid namespace on the host: no process of the container, and there for as long as one is
    /// that stands for such a process.
    private static func hold(_ orders: consuming FileDescriptor) -> ProcessExit.Status {
        Process.setName("fc-proxy")
        // No process waits for those that end here without a parent.
        _ = Glibc.signal(SIGCHLD, SIG_IGN)
        Process.releaseCode()
        answer(on: orders.borrowed) { () throws(Errno) in
            let root = FileDescriptor(owning: ProxyOrder.heldRoot)
            try Mount.pivot(to: root.borrowed)
        }
        _ = consume orders
        let pipe = FileDescriptor(owning: ProxyOrder.heldPipe)
        while true {
            do throws(Errno) {
                if try pipe.read(upTo: 1).isEmpty { return .exited(code: 0) }
            } catch {
                if error != .interrupted { return .exited(code: 1) }
            }
        }
    }
}

/// What of the host fc-proxy needs, opened while the root directory is the host's.
struct HostFiles: ~Copyable {
    let null: FileDescriptor
    /// This process's own descriptors by number, /proc/self/fd.
    let ownDescriptors: FileDescriptor

    init() throws(Errno) {
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        let ownDescriptors = try FileDescriptor.open("/proc/self/fd", [.path, .directory])
        self.null = null
        self.ownDescriptors = ownDescriptors
    }
}
