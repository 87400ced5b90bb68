// SPDX-License-Identifier: Apache-2.0
import Engine
import Glibc
import Linux
import ProgramArguments
import RuntimeState
import SandboxPlan

/// The processes of the host that stand for a container before its guest is there: the one that clients take for the
/// container's, in namespaces of its own, and the one that holds those.
struct StandIn: ~Copyable {
    let holder: ProcessIdentity
    private let holderSocket: FileDescriptor
    /// What clients take for the container's process: this process's child.
    let process: StandingProcess
    /// What of the container's files could not be shown on the host, where the guest may have better luck.
    let problem: String?

    /// The network namespace, open.
    borrowing func network() throws(RuntimeError) -> FileDescriptor {
        try wrapping(
            { .networkNamespace(path: "/proc/\(holder.pid)/ns/net", $0) },
            FileDescriptor.open("/proc/\(holder.pid)/ns/net"))
    }

    /// Runs the hooks that run in the container's namespaces.
    borrowing func runHooks() throws(RuntimeError) {
        let pid = UInt32(bitPattern: process.pid)
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: pid >> (8 * $0)) }
        try step(
            "run hooks",
            try DescriptorPassing.send(
                [NamespaceHolder.Order.hooks.rawValue] + bytes, [], on: holderSocket.borrowed))
        if case .failed(let problem) = try Self.answer(on: holderSocket.borrowed) { throw .hook(problem) }
    }

    /// Takes the host's files away from the namespaces: what is left is the container's.
    borrowing func enterRoot() throws(RuntimeError) {
        try step("enter the root") { () throws(Errno) in
            try DescriptorPassing.send([NamespaceHolder.Order.become.rawValue], [], on: holderSocket.borrowed)
            try DescriptorPassing.send(ProxyOrder(.hold).bytes, [], on: holderSocket.borrowed)
        }
        let answer = try Self.answer(on: holderSocket.borrowed)
        if case .failed(let problem) = answer { throw .standIn("enter the root: \(problem)") }
    }

    private static func answer(on socket: BorrowedDescriptor) throws(RuntimeError) -> NamespaceHolder.Answer {
        try step(
            "receive",
            NamespaceHolder.Answer(
                try DescriptorPassing.receive(upTo: NamespaceHolder.Answer.limit, from: socket)))
    }

    /// - Parameters:
    ///   - shown: what of the host is seen in the container's namespaces.
    ///   - program: fc-proxy, as it is to stand for the container's process.
    init(
        _ order: StandInOrder, _ shown: borrowing ShareSources, program: consuming ChildProgram,
        executable: borrowing ProxyExecutable
    ) throws(RuntimeError) {
        let plan = order.container
        let tree = try SharedTree(shown, attributes: HostView.attributes, makesOverlays: false)
        let ends = try step("socket", try UnixSocket.pair(type: .sequencedPacket))
        let pipe = try step("pipe", try FileDescriptor.pipe())
        // Closed by the parent alone, in the end: the copy that uses them must not lose them.
        let shares = tree.shares
        var open = tree.release()
        var other: BorrowedDescriptor?
        if let holder = order.sandbox?.open() { other = open.append(holder) }
        let shared = other == nil ? [] : order.sharedNamespaces
        var root: BorrowedDescriptor?
        if case .shared(let path) = plan.root.source { root = shares.first { $0.path == path }?.mount }
        let maker = NamespaceHolder(
            cgroups: order.cgroups, network: order.network, shared: shared.subtracting(.pid),
            sandbox: other, hostname: plan.hostname, domainName: plan.domainName, place: order.place,
            root: root, rootIsReadOnly: plan.root.isReadOnly, mounts: plan.mounts, shares: shares,
            program: executable.file.borrowed,
            socket: ends.second.borrowed, pipe: pipe.reader.borrowed,
            others: [ends.first.borrowed, pipe.writer.borrowed], runHooks: order.runHooks)
        let pid = try Self.start(maker, in: shared.contains(.pid) ? other : nil)
        let identity = ProcessIdentity(of: pid)
        let socket = ends.takeFirst()
        var lack: String?
        switch try Self.answer(on: socket.borrowed) {
        case .done: break
        case .lacks(let problem): lack = problem
        case .failed(let problem):
            _ = try? Process.wait(for: pid)
            throw .standIn(problem)
        }
        guard let holder = identity, let held = holder.open() else { throw .standIn("the first process has ended") }
        do throws(RuntimeError) {
            process = try StandingProcess(
                program, of: held.borrowed, pipe: pipe.writer.borrowed, executable: executable, plan.process)
        } catch {
            // It is in the container's cgroup, which is taken away next.
            _ = try? holder.signal(SIGKILL)
            _ = try? Process.wait(for: pid)
            throw error
        }
        self.holder = holder
        holderSocket = socket
        problem = lack
        _ = consume open
    }

    /// - Parameter sandbox: who holds the pid namespace to be in, by pidfd; nil is a new one.
    /// - Returns: the pid of the copy that `maker` runs in.
    private static func start(_ maker: NamespaceHolder, in sandbox: BorrowedDescriptor?) throws(RuntimeError) -> Int32 {
        let fork = try step("fork") { () throws(Errno) in
            guard let sandbox else { return try Process.fork(namespaces: NamespaceHolder.cloned.union(.pid)) }
            return try Process.fork(inPIDNamespaceOf: sandbox, namespaces: NamespaceHolder.cloned)
        }
        switch fork {
        case .child: maker.run()
        case .parent(let pid): return pid
        }
    }

}

/// What the processes that stand for a container are made of.
struct StandInOrder {
    let container: ContainerPlan
    /// The container's root directory on the host.
    let place: String
    /// Open lists of processes of the cgroups that they are to be in.
    let cgroups: [BorrowedDescriptor]
    /// The network namespace that the document names; nil is the sandbox's, or a new one.
    var network: BorrowedDescriptor?
    /// Who holds the namespaces of the container whose machine this one joins.
    var sandbox: ProcessIdentity?
    /// Runs what is to run in the container's namespaces before the root is entered; answers why it failed.
    var runHooks: (_ pid: Int32) -> String? = { _ in nil }

    init(container: ContainerPlan, place: String, cgroups: [BorrowedDescriptor]) {
        self.container = container
        self.place = place
        self.cgroups = cgroups
    }

    /// The namespaces of the sandbox's that are its own, too.
    fileprivate var sharedNamespaces: Process.Namespaces {
        var shared: Process.Namespaces = network == nil ? .network : []
        for namespace in container.namespaces where namespace.joins != nil {
            switch namespace.kind {
            case .ipc: shared.insert(.ipc)
            case .uts: shared.insert(.uts)
            case .pid: shared.insert(.pid)
            case .mount, .cgroup, .network: continue
            }
        }
        return shared
    }
}

/// A process that stands for one of a container's: fc-proxy in the container's namespaces, which waits to be told for
/// which.
struct StandingProcess: ~Copyable {
    /// This process's child.
    let pid: Int32
    private let socket: FileDescriptor

    /// How much of a command line is shown, in bytes.
    private static let commandLineLimit = 4096

    /// - Parameters:
    ///   - holder: who holds the namespaces, by pidfd.
    ///   - pipe: the writing end of the pipe that the holder reads.
    init(
        _ program: consuming ChildProgram, of holder: BorrowedDescriptor, pipe: BorrowedDescriptor,
        executable: borrowing ProxyExecutable, _ plan: ProcessPlan
    ) throws(RuntimeError) {
        let ends = try step("socket", try UnixSocket.pair(type: .sequencedPacket))
        program.executable = executable.file.borrowed
        program.pidNamespace = holder
        program.commandLine = Self.commandLine(plan)
        program.standardStreams = (program.standardStreams ?? []) + [ends.second.borrowed]
        let pid = try program.start()
        let socket = ends.takeFirst()
        // The kernel cuts it where it is too long.
        let order = ProxyOrder(.enter, [plan.arguments.first?.pathNames.last ?? "fc-proxy"])
        let answer = try? DescriptorPassing.ask(order.bytes, [holder, pipe], on: socket.borrowed)
        guard answer == [0] else {
            try? Process.kill(pid, SIGKILL)
            _ = try? Process.wait(for: pid)
            throw .standIn("enter: \(Errno(rawValue: Int32(answer?.first ?? UInt8(ESRCH))))")
        }
        self.pid = pid
        self.socket = socket
    }

    /// One more beside those in the namespaces that stand for the container of `record`.
    init(
        _ program: consuming ChildProgram, besides record: ContainerRecord, executable: borrowing ProxyExecutable,
        _ plan: ProcessPlan
    ) throws(RuntimeError) {
        guard let holder = record.standIn, let held = holder.open() else { throw .notRunning(id: record.id) }
        let pipe = try step(
            "open their pipe",
            try FileDescriptor.open("/proc/\(holder.pid)/fd/\(ProxyOrder.heldPipe)", [.writeOnly, .nonBlocking]))
        // The number was still its own when the pipe was opened.
        guard holder.isAlive else { throw .notRunning(id: record.id) }
        try self.init(program, of: held.borrowed, pipe: pipe.borrowed, executable: executable, plan)
    }

    /// Orders it to stand for a process.
    borrowing func serve(_ arguments: ProxyArguments) throws(RuntimeError) {
        let (order, numbers) = try wrapping({ .arguments(program: "fc-proxy", $0) }, try arguments.order())
        let descriptors = numbers.map { BorrowedDescriptor(rawValue: $0) }
        try step("serve", try DescriptorPassing.send(order.bytes, descriptors, on: socket.borrowed))
    }

    private static func commandLine(_ plan: ProcessPlan) -> [String] {
        var left = commandLineLimit
        let words = plan.arguments.prefix { word in
            left -= word.utf8.count + 1
            return left >= 0
        }
        return words.isEmpty ? ["fc-proxy"] : Array(words)
    }
}

private func step<Result: ~Copyable>(
    _ operation: String, _ body: () throws(Errno) -> Result
) throws(RuntimeError) -> Result {
    do { return try body() } catch { throw .standIn("\(operation): \(error)") }
}

private func step<Result: ~Copyable>(
    _ operation: String, _ body: @autoclosure () throws(Errno) -> Result
) throws(RuntimeError) -> Result {
    do { return try body() } catch { throw .standIn("\(operation): \(error)") }
}

extension DescriptorPassing {
    /// Sends one message and returns the first byte of the answer; nothing where the other end has gone.
    fileprivate static func ask(
        _ bytes: [UInt8], _ descriptors: [BorrowedDescriptor], on socket: BorrowedDescriptor
    ) throws(Errno) -> [UInt8] {
        try send(bytes, descriptors, on: socket)
        return try receive(upTo: 1, from: socket)
    }
}
