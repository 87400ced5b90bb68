// SPDX-License-Identifier: Apache-2.0
public import Linux
public import Netlink

/// Why a network namespace cannot be a sandbox's, or could not be made one.
public enum HostNetworkError: Error, Hashable, Sendable {
    /// The namespace was not entered, or nothing could be opened in it.
    case namespace(operation: String, Errno)
    /// The kernel refused something that is about the whole namespace.
    case network(NetlinkError)
    /// It refused something of this interface.
    case interface(String, NetlinkError)
    /// It is no Ethernet; what it is instead: the kernel's name of its kind, or ARPHRD_ and a number.
    case notEthernet(interface: String, kind: String)
    /// Its name is no UTF-8: this is what can be shown of it.
    case name(String)
    /// Bytes; 68 to 65521 can be carried.
    case mtu(interface: String, UInt32)
    /// It is of a group, or all zeroes.
    case hardwareAddress(interface: String, [UInt8])
    /// More interfaces than a machine has places for.
    case tooMany(count: Int, limit: Int)
    /// It was there, and is not any more.
    case vanished(interface: String)
    /// Something stands at its entrance: another sandbox has it, or another program's filters.
    case occupied(interface: String)
}

extension HostNetworkError: CustomStringConvertible {
    /// For a person.
    public var description: String {
        switch self {
        case .namespace(let operation, let errno): "\(operation): \(errno)"
        case .network(let error): "\(error)"
        case .interface(let name, let error): "interface \(quoted(name)): \(error)"
        case .notEthernet(let name, let kind):
            "interface \(quoted(name)) is no Ethernet (\(kind)), and cannot be carried into a virtual machine"
        case .name(let name): "interface \(quoted(name)): its name is no UTF-8"
        case .mtu(let name, let mtu): "interface \(quoted(name)): an MTU of \(mtu) cannot be carried: 68 to 65521 can"
        case .hardwareAddress(let name, let address):
            "interface \(quoted(name)): \(address.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")) "
                + "is no address of a station"
        case .tooMany(let count, let limit): "\(count) interfaces: this virtual machine has room for \(limit)"
        case .vanished(let name): "interface \(quoted(name)) has gone meanwhile"
        case .occupied(let name):
            "interface \(quoted(name)) has an ingress queue already: another sandbox uses it, or another program's filters"
        }
    }

    /// With nothing in it that could end a line.
    private func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : String($0) }
        return "\"\(shown.joined())\""
    }
}
