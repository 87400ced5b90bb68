// SPDX-License-Identifier: Apache-2.0
/// The command line of fc-proxy as the way to the resolver of a network namespace. Every descriptor is inherited.
public struct ResolverServerArguments: ArgumentList {
    /// The first word, by which fc-proxy tells this command line.
    public static let mode = "--resolver"

    /// The network namespace that the resolver is in.
    public var network: Int32 = -1
    /// A pidfd: there is something to serve for as long as its process lives.
    public var process: Int32 = -1
    /// Listens for the guest's connections.
    public var listener: Int32 = -1
    /// 16 bytes, which the guest's connections begin with.
    public var token: [UInt8] = []

    /// What is required is still to be set.
    public init() {}

    /// Lists the flags.
    public mutating func list(_ flags: inout ArgumentCoder) throws(ArgumentError) {
        try flags.descriptor("--network-fd", &network, minimum: 3)
        try flags.descriptor("--process-fd", &process, minimum: 3)
        try flags.descriptor("--listen-fd", &listener, minimum: 3)
        try flags.value("--token", &token, .bytes(16))
    }
}
