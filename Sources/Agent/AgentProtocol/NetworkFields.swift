// SPDX-License-Identifier: Apache-2.0
import Protobuf
import SandboxPlan

extension NetworkPlan {
    mutating func exchange(_ fields: MessageFields) {
        fields.messages("interfaces", &interfaces)
        fields.messages("routes", &routes)
        fields.messages("rules", &rules)
    }
}

extension NetworkInterface: PackedMessage {
    package static let blank = NetworkInterface(slot: 0, name: "", hardwareAddress: [], mtu: 0)

    package mutating func exchange(_ fields: MessageFields) {
        fields.number("slot", &slot)
        fields.text("name", &name)
        fields.hardwareAddress("hardware_address", &hardwareAddress)
        fields.number("mtu", &mtu)
        fields.flag("is_up", &isUp)
        fields.messages("addresses", &addresses)
        fields.messages("neighbours", &neighbours)
    }
}

extension InterfaceAddress: PackedMessage {
    package static let blank = InterfaceAddress(local: .none)

    package mutating func exchange(_ fields: MessageFields) {
        fields.prefix("local", "prefix_length", &local)
        fields.address("peer", &peer)
        fields.address("broadcast", &broadcast)
        fields.number("scope", &scope, as: UInt32.self)
        fields.flag("has_prefix_route", &hasPrefixRoute)
    }
}

extension NetworkNeighbour: PackedMessage {
    package static let blank = NetworkNeighbour(address: IPPrefix.none.address, hardwareAddress: [])

    package mutating func exchange(_ fields: MessageFields) {
        fields.address("address", &address)
        fields.hardwareAddress("hardware_address", &hardwareAddress)
    }
}

extension NetworkRoute: PackedMessage {
    package static let blank = NetworkRoute(destination: .none, interface: "")

    package mutating func exchange(_ fields: MessageFields) {
        fields.prefix("destination", "prefix_length", &destination)
        fields.address("gateway", &gateway)
        fields.text("interface", &interface)
        fields.address("source", &source)
        fields.number("priority", &priority)
        fields.number("table", &table)
        fields.number("scope", &scope, as: UInt32.self)
        fields.number("type", &type, as: UInt32.self)
        fields.number("protocol", &protocolNumber, as: UInt32.self)
        fields.flag("is_on_link", &isOnLink)
        fields.number("mtu", &mtu)
    }
}

extension RoutingRule: PackedMessage {
    package static let blank = RoutingRule(isVersion6: false, priority: 0, table: 0)

    package mutating func exchange(_ fields: MessageFields) {
        fields.flag("is_version_6", &isVersion6)
        fields.number("priority", &priority)
        fields.number("table", &table)
        fields.prefix("source", "source_length", &source)
        fields.prefix("destination", "destination_length", &destination)
        fields.text("input_interface", &inputInterface)
        fields.text("output_interface", &outputInterface)
        fields.number("mark", &mark)
        fields.number("mask", &mask)
    }
}

extension IPPrefix {
    /// What stands in the place of one that is still to be read: 0.0.0.0/0.
    static let none: IPPrefix = {
        guard let address = IPAddress([0, 0, 0, 0]), let prefix = IPPrefix(address, length: 0) else {
            preconditionFailure("four bytes are an address")
        }
        return prefix
    }()
}

extension MessageFields {
    /// An address, or none.
    fileprivate func address(_ name: StaticString, _ address: inout IPAddress?) {
        var bytes = address?.bytes ?? []
        data(name, &bytes)
        address = IPAddress(bytes)
        if address == nil, !bytes.isEmpty { fail(name) { .wrongByteCount(field: $0, byteCount: bytes.count) } }
    }

    fileprivate func address(_ name: StaticString, _ address: inout IPAddress) {
        var optional: IPAddress? = address
        self.address(name, &optional)
        if let optional { address = optional } else { fail(name) { .missing(field: $0) } }
    }

    /// An address and how many of its bits count, or neither.
    fileprivate func prefix(_ name: StaticString, _ lengthName: StaticString, _ prefix: inout IPPrefix?) {
        var address = prefix?.address
        var length = prefix?.length ?? 0
        self.address(name, &address)
        number(lengthName, &length, as: UInt32.self)
        prefix = address.flatMap { IPPrefix($0, length: length) }
        if prefix == nil, address != nil || length != 0 {
            fail(lengthName) { .outOfRange(field: $0, value: Int64(length)) }
        }
    }

    fileprivate func prefix(_ name: StaticString, _ lengthName: StaticString, _ prefix: inout IPPrefix) {
        var optional: IPPrefix? = prefix
        self.prefix(name, lengthName, &optional)
        if let optional { prefix = optional } else { fail(name) { .missing(field: $0) } }
    }

    fileprivate func hardwareAddress(_ name: StaticString, _ address: inout [UInt8]) {
        data(name, &address)
        if isReading, address.count != 6 { fail(name) { .wrongByteCount(field: $0, byteCount: address.count) } }
    }
}
