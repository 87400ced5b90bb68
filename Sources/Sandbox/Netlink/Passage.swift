// SPDX-License-Identifier: Apache-2.0
import SandboxPlan

/// tc(8): what of a redirected interface the namespace hears all the same.
extension RouteSocket {
    /// Before the redirection, and after each other.
    static let passages: ClosedRange<UInt32> = 0xfc0c...0xfc0d

    /// From here on the namespace of `source`, which is redirected to `target`, hears what name servers answer by TCP to
    /// ``ResolverPlan/askingPorts``, which the guest does not; and who has which hardware address, which the guest hears as well.
    public func letAnswersPass(by source: UInt32, besides target: UInt32) throws(NetlinkError) {
        let operand = "by network interface \(source)"
        let ports = UInt32(ResolverPlan.askingPorts.lowerBound)
        // ETH_P_IP: no options, whole, TCP, from port 53. Without an action it goes where it would go.
        let answers = Self.passage(
            source, Self.passages.upperBound, type: 0x0800, operand,
            [
                (0, 0x4500_0000, 0xff00_0000), (4, 0, 0x3fff), (8, 0x0006_0000, 0x00ff_0000),
                (20, 53 << 16 | ports, 0xffff_0000 | ports),
            ], mirror: nil)
        // ETH_P_ARP: a reply about IPv4.
        let addresses = Self.passage(
            source, Self.passages.lowerBound, type: 0x0806, operand, [(4, 0x0604_0002, 0xffff_ffff)], mirror: target)
        for failure in try change([answers, addresses]) {
            if let failure { throw failure }
        }
    }

    /// - Parameter keys: the value and mask of four bytes, at an offset behind the frame's header.
    private static func passage(
        _ source: UInt32, _ preference: UInt32, type: UInt32, _ operand: String,
        _ keys: [(offset: UInt32, value: UInt32, mask: UInt32)], mirror target: UInt32?
    ) -> Request {
        var filter = Request(MessageType.newFilter, .add, "let answers pass", operand)
        filter.body.addTraffic(
            source, handle: 1, parent: handle, information: preference << 16 | type.byteSwapped >> 16)
        filter.body.attribute(1, "u32")
        filter.body.nested(2) {
            // TCA_U32_SEL: TC_U32_TERMINAL and the number of keys; struct tc_u32_key, in the network's order but the offset.
            var selection: [UInt8] = [1, 0, UInt8(keys.count)] + [UInt8](repeating: 0, count: 13)
            for key in keys {
                selection += key.mask.bigEndian.bytes + key.value.bigEndian.bytes + key.offset.bytes + [0, 0, 0, 0]
            }
            $0.attribute(5, selection)
            guard let target else { return }
            // TCA_U32_ACT, of one action.
            $0.nested(7) {
                $0.nested(1) {
                    $0.attribute(1, "mirred")
                    $0.nested(2) {
                        // struct tc_mirred: TC_ACT_OK, TCA_EGRESS_MIRROR.
                        $0.attribute(2, [0, 0, 0, 0, 0, 2, target].flatMap { (word: UInt32) in word.bytes })
                    }
                }
            }
        }
        return filter
    }
}
