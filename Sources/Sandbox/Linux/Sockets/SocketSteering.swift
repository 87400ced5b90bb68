// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Sockets that are reached at an address which they are not bound to: a program of kind BPF_PROG_TYPE_SK_LOOKUP, bpf(2), that the
/// kernel asks whose a connection or a datagram is. The address stays free: others bind it, or all of them, as if nobody were
/// there.
public struct SocketSteering: ~Copyable {
    /// It holds for as long as this is open.
    private let link: FileDescriptor

    /// Leads to `listener` and `datagrams` what comes for `address` in the network namespace of the caller, in which they are
    /// bound to something else.
    public init(
        of address: InternetSocket.Address, to listener: BorrowedDescriptor, _ datagrams: BorrowedDescriptor
    ) throws(Errno) {
        // BPF_MAP_CREATE of a BPF_MAP_TYPE_SOCKMAP: keys of four bytes, values of eight, two entries.
        var map: [UInt64] = [15 | 4 << 32, 8 | 2 << 32, 0, 0]
        let sockets = FileDescriptor(owning: Int32(try checked(Self.call(0, &map))))
        for (index, socket) in [listener, datagrams].enumerated() {
            try Self.put(socket, at: UInt32(index), of: sockets.borrowed)
        }
        let program = try Self.load(Self.program(for: address, sockets: sockets.borrowed))
        let namespace = try FileDescriptor.open("/proc/thread-self/ns/net")
        // BPF_LINK_CREATE of the program and the namespace, of BPF_SK_LOOKUP.
        var attributes: [UInt64] = [
            UInt64(UInt32(bitPattern: program.rawValue)) | UInt64(UInt32(bitPattern: namespace.rawValue)) << 32, 36,
        ]
        link = FileDescriptor(owning: Int32(try checked(Self.call(28, &attributes))))
    }

    /// BPF_MAP_UPDATE_ELEM.
    private static func put(
        _ socket: BorrowedDescriptor, at index: UInt32, of map: BorrowedDescriptor
    ) throws(Errno) {
        var value = UInt64(UInt32(bitPattern: socket.rawValue))
        let result = unsafe withUnsafePointer(to: index) { key in
            unsafe withUnsafeMutablePointer(to: &value) { value in
                var attributes = [
                    UInt64(UInt32(bitPattern: map.rawValue)), UInt64(UInt(bitPattern: unsafe key.argument)),
                    UInt64(UInt(bitPattern: unsafe value.argument)), 0,
                ]
                return call(2, &attributes)
            }
        }
        try checked(result)
    }

    /// BPF_PROG_LOAD.
    private static func load(_ instructions: [UInt64]) throws(Errno) -> FileDescriptor {
        try withPath("Apache-2.0") { (license) throws(Errno) in
            let result = unsafe instructions.withUnsafeBytes { program in
                // The kind and the count, their address, the licence's; at the end the kind once more, for its attachment.
                var attributes = [UInt64](repeating: 0, count: 9)
                attributes[0] = 30 | UInt64(instructions.count) << 32
                attributes[1] = UInt64(UInt(bitPattern: unsafe program.argument))
                attributes[2] = UInt64(UInt(bitPattern: license))
                attributes[8] = 36 << 32
                return call(5, &attributes)
            }
            return FileDescriptor(owning: Int32(try checked(result)))
        }
    }

    /// struct bpf_insn after struct bpf_insn; the context is a struct bpf_sk_lookup. Its answer is always yes, SK_PASS: what is
    /// not for the address is looked for as ever.
    private static func program(for address: InternetSocket.Address, sockets: BorrowedDescriptor) -> [UInt64] {
        let host = Int32(bitPattern: address.host.bigEndian)
        // r6: the context; r7: the socket. The jumps lead to `pass`.
        let body: [UInt64] = [
            // *(r10 - 4) = index: 0 for TCP, 1 for UDP.
            instruction(0x61, 3, 6, 12, 0), instruction(0xb4, 2, 0, 0, 0), instruction(0x16, 3, 0, 2, 6),
            instruction(0xb4, 2, 0, 0, 1), instruction(0x56, 3, 0, 14, 17), instruction(0x63, 10, 2, -4, 0),
            // r0 = bpf_map_lookup_elem(sockets, r10 - 4)
            instruction(0x18, 1, 1, 0, sockets.rawValue), 0, instruction(0xbf, 2, 10, 0, 0),
            instruction(0x07, 2, 0, 0, -4), instruction(0x85, 0, 0, 0, 1), instruction(0x15, 0, 0, 7, 0),
            // bpf_sk_assign(context, socket, 0); bpf_sk_release(socket)
            instruction(0xbf, 7, 0, 0, 0), instruction(0xbf, 1, 6, 0, 0), instruction(0xbf, 2, 7, 0, 0),
            instruction(0xb7, 3, 0, 0, 0), instruction(0x85, 0, 0, 0, 124), instruction(0xbf, 1, 7, 0, 0),
            instruction(0x85, 0, 0, 0, 86),
        ]
        let pass = [instruction(0xb4, 0, 0, 0, 1), instruction(0x95, 0, 0, 0, 0)]
        let conditions: [(offset: Int16, value: Int32)] = [
            (8, AF_INET), (40, host), (60, Int32(address.port)),
        ]
        var program = [instruction(0xbf, 6, 1, 0, 0)]
        for (index, condition) in conditions.enumerated() {
            let left = 2 * (conditions.count - index - 1) + body.count
            program += [
                instruction(0x61, 2, 6, condition.offset, 0), instruction(0x56, 2, 0, Int16(left), condition.value),
            ]
        }
        return program + body + pass
    }

    private static func instruction(
        _ code: UInt64, _ destination: UInt64, _ source: UInt64, _ offset: Int16, _ immediate: Int32
    ) -> UInt64 {
        code | destination << 8 | source << 12 | UInt64(UInt16(bitPattern: offset)) << 16
            | UInt64(UInt32(bitPattern: immediate)) << 32
    }

    private static func call(_ command: Int, _ attributes: inout [UInt64]) -> Int {
        unsafe attributes.withUnsafeMutableBytes { unsafe answer(__NR_bpf, command, $0.argument, $0.count) }
    }
}
