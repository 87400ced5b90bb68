// SPDX-License-Identifier: Apache-2.0

/// Types of messages: <linux/netlink.h>, <linux/rtnetlink.h>.
enum MessageType {
    static let error: UInt16 = 2
    static let done: UInt16 = 3
    static let newLink: UInt16 = 16
    static let getLink: UInt16 = 18
    static let setLink: UInt16 = 19
    static let newAddress: UInt16 = 20
    static let deleteAddress: UInt16 = 21
    static let getAddress: UInt16 = 22
    static let newRoute: UInt16 = 24
    static let deleteRoute: UInt16 = 25
    static let getRoute: UInt16 = 26
    static let newNeighbour: UInt16 = 28
    static let deleteNeighbour: UInt16 = 29
    static let getNeighbour: UInt16 = 30
    static let newRule: UInt16 = 32
    static let deleteRule: UInt16 = 33
    static let getRule: UInt16 = 34
    static let newQueue: UInt16 = 36
    static let deleteQueue: UInt16 = 37
    static let getQueue: UInt16 = 38
    static let newFilter: UInt16 = 44
    static let deleteFilter: UInt16 = 45
    static let getFilter: UInt16 = 46
}

/// NLM_F_ of a request.
struct RequestFlags: OptionSet {
    let rawValue: UInt16

    static let request = RequestFlags(rawValue: 0x001)
    static let acknowledge = RequestFlags(rawValue: 0x004)
    static let dump = RequestFlags(rawValue: 0x300)
    static let replace = RequestFlags(rawValue: 0x100)
    static let exclusive = RequestFlags(rawValue: 0x200)
    static let create = RequestFlags(rawValue: 0x400)

    /// It is made, and must not be there yet.
    static let add: RequestFlags = [.create, .exclusive]
    /// It is made, or takes the place of what is there.
    static let put: RequestFlags = [.create, .replace]
}

/// The bytes of a message: numbers in the processor's order, which is little-endian wherever this runs; attributes padded to
/// four bytes each.
struct MessageBody {
    private(set) var bytes: [UInt8] = []
    /// The length of an attribute that no attribute can have.
    private(set) var excess: Int?

    init() {}

    mutating func add(_ value: UInt8) { bytes.append(value) }

    mutating func add(_ value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    mutating func attribute(_ type: UInt16, _ value: some Collection<UInt8>) {
        attribute(type) { $0.bytes += value }
    }

    mutating func attribute(_ type: UInt16, _ value: some FixedWidthInteger) {
        attribute(type) { $0.add(value) }
    }

    /// A string of the kernel's, with the NUL that ends it.
    mutating func attribute(_ type: UInt16, _ text: String) { attribute(type, Array(text.utf8) + [0]) }

    /// An attribute that holds others, NLA_F_NESTED.
    mutating func nested(_ type: UInt16, _ fill: (inout MessageBody) -> Void) {
        attribute(type | 0x8000, fill)
    }

    private mutating func attribute(_ type: UInt16, _ fill: (inout MessageBody) -> Void) {
        let start = bytes.count
        add(UInt16(0))
        add(type)
        fill(&self)
        let byteCount = bytes.count - start
        guard byteCount <= Int(UInt16.max) else {
            excess = byteCount
            return
        }
        bytes[start] = UInt8(byteCount & 0xff)
        bytes[start + 1] = UInt8(byteCount >> 8)
        while !bytes.count.isMultiple(of: 4) { bytes.append(0) }
    }
}

/// One message to the kernel, and what it is about, for messages.
struct Request {
    let type: UInt16
    let flags: RequestFlags
    let operation: String
    let operand: String
    var body = MessageBody()

    init(_ type: UInt16, _ flags: RequestFlags = [], _ operation: String, _ operand: String = "") {
        self.type = type
        self.flags = flags.union(flags.contains(.dump) ? .request : [.request, .acknowledge])
        self.operation = operation
        self.operand = operand
    }

    /// struct nlmsghdr, and the body.
    func bytes(sequence: UInt32) throws(NetlinkError) -> [UInt8] {
        if let excess = body.excess { throw .tooLong(operation: operation, byteCount: excess) }
        var message = MessageBody()
        message.add(UInt32(16 + body.bytes.count))
        message.add(type)
        message.add(flags.rawValue)
        message.add(sequence)
        message.add(UInt32(0))
        return message.bytes + body.bytes
    }
}
