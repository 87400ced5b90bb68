// SPDX-License-Identifier: Apache-2.0
import Netlink
import SandboxPlan

/// What the kernel may answer over netlink: the first byte says what was asked for, the rest is a datagram. No trap, and what
/// is read lies within the bounds that its users rely on.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzNetlink(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    // libFuzzer gives `byteCount` readable bytes at `data` until this returns.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: byteCount))
    guard let kind = bytes.first else { return 0 }
    let datagram = Array(bytes.dropFirst())
    do {
        switch kind % 6 {
        case 0:
            for link in try NetlinkAnswer.links(in: datagram, to: 1) {
                precondition((1...15).contains(link.nameBytes.count) && !link.nameBytes.contains(0), "a long name")
                precondition(link.index > 0 && link.hardwareAddress.count <= 32, "no interface")
            }
        case 1:
            for address in try NetlinkAnswer.addresses(in: datagram, to: 1) {
                precondition(address.peer.map { isAkin($0, address.local.address) } ?? true, "two versions")
                precondition(address.broadcast.map { isAkin($0, address.local.address) } ?? true, "two versions")
            }
        case 2:
            for route in try NetlinkAnswer.routes(in: datagram, to: 1) {
                precondition([1, 6, 7, 8].contains(route.type) && route.table != 255, "a route of the kernel's")
                precondition(route.destination.network.network == route.destination.network, "no prefix")
                _ = "\(route.destination)"
            }
        case 3:
            for rule in try NetlinkAnswer.rules(in: datagram, to: 1) {
                for prefix in [rule.source, rule.destination].compactMap({ $0 }) {
                    precondition(prefix.address.isVersion6 == rule.isVersion6, "two versions")
                }
            }
        case 4:
            for neighbour in try NetlinkAnswer.neighbours(in: datagram, to: 1) {
                precondition(neighbour.hardwareAddress.count == 6, "no Ethernet address")
            }
        default: _ = try NetlinkAnswer.redirects(in: datagram, to: 1)
        }
    } catch {
        precondition("\(error)".utf8.count < 1000, "a long error")
    }
    return 0
}

private func isAkin(_ one: IPAddress, _ other: IPAddress) -> Bool { one.isVersion6 == other.isVersion6 }
