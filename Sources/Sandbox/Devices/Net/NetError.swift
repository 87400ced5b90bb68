// SPDX-License-Identifier: Apache-2.0
public import Linux

/// What is wrong with a tap that was handed over, or with its configuration.
public enum NetError: Error, Equatable {
    /// No tap, or one without an interface.
    case notATap(Errno)
    /// A tap made with other flags than TAP, NO_PI and VNET_HDR; `flags` as TUNGETIFF tells them.
    case flags(Int16)
    /// `operation` on the tap failed.
    case tap(operation: String, Errno)
    /// No address of one station: all zero, or a group's.
    case address([UInt8])
    /// Less than 68 or more than 65535.
    case mtu(Int)
    /// The event loop's descriptors could not be made.
    case events(Errno)
    /// The device has a tap, whose interface is there.
    case attached
    /// The driver was promised what the tap's kernel does not do.
    case offloads(lacking: TapInterface.Offloads)
}

extension NetError: CustomStringConvertible {
    /// For messages, in English.
    public var description: String {
        switch self {
        case .notATap(let error): "not a tap: \(error)"
        case .flags(let flags):
            "not made with IFF_TAP, IFF_NO_PI and IFF_VNET_HDR (flags 0x\(String(flags, radix: 16)))"
        case .tap(let operation, let error): "\(operation): \(error)"
        case .address(let bytes):
            "not the address of one station: \(bytes.map { String($0, radix: 16) }.joined(separator: ":"))"
        case .mtu(let number): "an MTU of \(number) is not from 68 to 65535"
        case .events(let error): "event loop: \(error)"
        case .attached: "a tap is attached already"
        case .offloads(let lacking): "the tap lacks the offloads \(NetFeature.names(of: lacking))"
        }
    }
}
