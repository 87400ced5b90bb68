// SPDX-License-Identifier: Apache-2.0
import Linux
import Netlink
import Synchronization

/// What is opened in a network namespace, and used from outside: sockets and taps stay in the namespace that they were made in.
struct NamespaceDoor: ~Copyable {
    /// Of the namespace.
    let routes: RouteSocket
    /// New taps in it, down.
    let taps: [Tap]

    /// A tap interface, for as long as somebody has its descriptor.
    struct Tap: Sendable {
        /// Its owner is whoever has this value.
        let file: BorrowedDescriptor
        let name: String
    }

    private struct Opened: Sendable {
        let routes: BorrowedDescriptor
        let taps: [Tap]
    }

    private final class Box: Sendable {
        let result = Mutex<Result<Opened, HostNetworkError>>(
            .failure(.namespace(operation: "start a thread", .noSuchProcess)))
    }

    /// Opens what is needed in `namespace`, by a thread that enters it and ends: a thread leaves the namespace of the others,
    /// which stay in theirs, and has their files. When this returns, there is one thread as before.
    init(_ namespace: BorrowedDescriptor, taps count: Int = 0) throws(HostNetworkError) {
        let box = Box()
        do throws(Errno) {
            let thread = try Thread(named: "namespace") {
                let result: Result<Opened, HostNetworkError>
                do throws(HostNetworkError) { result = .success(try Self.open(namespace, count)) } catch {
                    result = .failure(error)
                }
                box.result.withLock { $0 = result }
            }
            thread.join()
        } catch {
            throw .namespace(operation: "start a thread", error)
        }
        let opened = try box.result.withLock { $0 }.get()
        routes = RouteSocket(FileDescriptor(owning: opened.routes))
        taps = opened.taps
    }

    private static func open(
        _ namespace: BorrowedDescriptor, _ count: Int
    ) throws(HostNetworkError) -> Opened {
        var taps: [Tap] = []
        var operation = "enter the network namespace"
        do throws(Errno) {
            try Process.enter(namespace, .network)
            operation = "open a netlink socket in the network namespace"
            let routes = try NetlinkSocket.openRoute()
            operation = "make a tap interface in the network namespace"
            for _ in 0..<count {
                let (file, name) = try TapInterface.attach(named: HostNetwork.tapPrefix + "%d")
                taps.append(Tap(file: file, name: name))
            }
            return Opened(routes: routes.release(), taps: taps)
        } catch {
            for tap in taps { _ = FileDescriptor(owning: tap.file) }
            throw .namespace(operation: operation, error)
        }
    }
}
