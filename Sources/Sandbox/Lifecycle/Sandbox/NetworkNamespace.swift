// SPDX-License-Identifier: Apache-2.0
import HostNetwork
import Linux
import OCISpec
import RuntimeState
import SandboxPlan

/// The host's side of the document's network namespace.
enum NetworkNamespace {
    /// Where the document's network namespace is; nil where it names none, and the sandbox gets an empty one.
    static func path(in spec: Spec) -> String? {
        let path = spec.linux?.namespaces.first { $0.type == .network }?.path
        return path?.isEmpty == false ? path : nil
    }

    /// The namespace the document names by path; nil where it names none.
    ///
    /// - Throws: `hostNetworkNamed` where it is the host's: what stands in there is not the container's to have.
    static func open(_ spec: Spec) throws(RuntimeError) -> FileDescriptor? {
        guard let path = path(in: spec) else { return nil }
        return try open(path)
    }

    /// The namespace at `path`. What else is there is not waited for, and refused when it is entered.
    static func open(_ path: String) throws(RuntimeError) -> FileDescriptor {
        let namespace = try wrapping({ .networkNamespace(path: path, $0) }, FileDescriptor.open(path, .nonBlocking))
        let status = try wrapping({ .networkNamespace(path: path, $0) }, FileNode.status(of: namespace.borrowed))
        let identity = NamedNamespace.Identity(device: status.device, inode: status.inode)
        for process in ["self", "1"] where identity == NamedNamespace.identity(at: "/proc/\(process)/ns/net") {
            throw .hostNetworkNamed(path: path)
        }
        return namespace
    }

    /// How many network devices the machine of a new sandbox is to have: one for each interface that is there already, and
    /// some for those that come later.
    ///
    /// - Parameter room: as many as there may be.
    static func slotCount(_ spec: Spec, room: Int) throws(RuntimeError) -> Int {
        // Without a namespace the container has loopback, whatever comes.
        guard let named = spec.linux?.namespaces.first(where: { $0.type == .network }), room > 0 else { return 0 }
        var count = 0
        if let namespace = try open(spec) {
            let path = named.path
            let plan = try wrapping(
                { .hostNetwork(path: path, $0) }, HostNetwork.capture(namespace.borrowed, limit: room))
            count = plan.interfaces.count
            _ = consume namespace
        }
        return min(max(count + 1, usualSlotCount), room)
    }

    /// Of a machine that starts without a network, or with one interface.
    private static let usualSlotCount = 2

    /// Refuses a namespace of a container that runs in the machine of others, whose network that one is, if there is
    /// anything in it to be carried.
    ///
    /// - Parameter path: where it was found, for messages.
    static func checkEmpty(_ namespace: BorrowedDescriptor, path: String) throws(RuntimeError) {
        let plan = try wrapping(
            { .hostNetwork(path: path, $0) },
            HostNetwork.capture(namespace, limit: MachinePlan.networkSlotLimit))
        guard plan.interfaces.isEmpty else {
            throw .networkNotCarried(path: path, interfaces: plan.interfaces.map(\.name))
        }
    }
}
