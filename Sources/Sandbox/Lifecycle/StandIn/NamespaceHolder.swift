// SPDX-License-Identifier: Apache-2.0
import Engine
import Linux
import ProgramArguments
import SandboxPlan

/// Makes the namespaces that a container has on the host, and what is seen in them, in a copy of this process that
/// fc-proxy then takes the place of: their first process, which holds them.
struct NamespaceHolder {
    /// Open lists of processes of the cgroups that it is to be in.
    let cgroups: [BorrowedDescriptor]
    /// The network namespace to enter; nil is a new one.
    let network: BorrowedDescriptor?
    /// The namespaces of the container's sandbox that it shares, and who holds those, by pidfd.
    let shared: Process.Namespaces
    let sandbox: BorrowedDescriptor?
    let hostname: String?
    let domainName: String?
    /// The container's root directory on the host.
    let place: String
    /// What is shown in it: nil, where the root is nothing of the host's.
    let root: BorrowedDescriptor?
    let rootIsReadOnly: Bool
    let mounts: [MountPlan]
    let shares: [FileServerProcess.Share]
    /// fc-proxy, and what it is to have.
    let program: BorrowedDescriptor
    let socket: BorrowedDescriptor
    let pipe: BorrowedDescriptor
    /// The other ends of those, which are not its own.
    let others: [BorrowedDescriptor]
    /// Runs what is to run in the container's namespaces before the root is entered; answers why it failed.
    let runHooks: (_ pid: Int32) -> String?

    /// The orders it takes, each answered by ``Answer``.
    enum Order: UInt8 {
        /// Run the hooks; four bytes are the pid in the state that they read.
        case hooks = 1
        /// Become fc-proxy. Only a failure is answered.
        case become = 2
    }

    enum Answer: Equatable {
        case done
        case failed(String)
        /// It has been done, except what the text says.
        case lacks(String)

        static let limit = 32768

        /// A number, and the text behind it. The end of the connection is a failure.
        init(_ bytes: [UInt8]) {
            let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
            switch bytes.first {
            case 0: self = .done
            case 2: self = .lacks(text)
            default: self = .failed(text.isEmpty ? "the process that holds the namespaces has ended" : text)
            }
        }

        var bytes: [UInt8] {
            switch self {
            case .done: [0]
            case .failed(let text): [1] + text.utf8.prefix(Self.limit - 1)
            case .lacks(let text): [2] + text.utf8.prefix(Self.limit - 1)
            }
        }
    }

    /// What clone(2) is to make; the rest is entered or made by the copy itself.
    static let cloned: Process.Namespaces = .mount

    func run() -> Never {
        // So that the end of the process that gives orders is noticed.
        for other in others { _ = FileDescriptor(owning: other) }
        do throws(Errno) {
            let view = try prepare()
            answer(view.problem.map(Answer.lacks) ?? .done)
            try serve(view)
        } catch {
            answer(.failed("\(error)"))
        }
        Process.exitNow(1)
    }

    private func answer(_ answer: Answer) {
        try? DescriptorPassing.send(answer.bytes, [], on: socket)
    }

    private func prepare() throws(Errno) -> HostView {
        for cgroup in cgroups { try cgroup.writeAll([UInt8(ascii: "0")]) }
        try Process.startSession()
        if let network { try Process.enter(network, .network) }
        if let sandbox, !shared.isEmpty { try Process.enter(sandbox, shared) }
        var own: Process.Namespaces = [.ipc, .uts, .cgroup]
        if network == nil { own.insert(.network) }
        try Process.unshare(own.subtracting(shared))
        if !shared.contains(.uts) {
            if let hostname { try Kernel.setHostname(hostname) }
            if let domainName { try Kernel.setDomainName(domainName) }
        }
        var view = try HostView(root: root, isReadOnly: rootIsReadOnly, over: place)
        view.add(mounts, shares)
        try view.seal()
        return view
    }

    private func serve(_ view: borrowing HostView) throws(Errno) {
        while true {
            let bytes = try DescriptorPassing.receive(upTo: 8, from: socket)
            switch bytes.first.flatMap(Order.init) {
            case .hooks:
                let pid = bytes.dropFirst().reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                answer(runHooks(Int32(bitPattern: pid)).map(Answer.failed) ?? .done)
            case .become: try become(view.root.descriptor.borrowed)
            case nil: Process.exitNow(0)
            }
        }
    }

    private func become(_ root: BorrowedDescriptor) throws(Errno) {
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        let handed = [null.borrowed, null.borrowed, null.borrowed, socket, root, pipe]
        var sources: [BorrowedDescriptor] = []
        for descriptor in handed { sources.append(try descriptor.duplicate(minimum: 6).release()) }
        let executable = try program.duplicate(minimum: 6).release()
        for (target, source) in sources.enumerated() { try FileDescriptor.assign(Int32(target), from: source) }
        try Process.closeDescriptorsOnExec(from: 6)
        try Process.execute(
            executable, arguments: ["fc-proxy", "--hold"], environment: [ProxyOrder.variable + "=1"])
    }
}
