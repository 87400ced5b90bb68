// SPDX-License-Identifier: Apache-2.0
/// The command line of fc-proxy as the server of bound sockets. Every descriptor is inherited.
public struct SocketServerArguments: ArgumentList {
    /// The first word, by which fc-proxy tells this command line.
    public static let mode = "--sockets"

    /// `--socket name=NAME,listen-fd=N,target-fd=N,token=HEX`
    public struct Socket: ArgumentList {
        /// In the directory: what the guest's connections come in at.
        public var name = ""
        /// Listens there.
        public var listener: Int32 = -1
        /// The host's socket, open with O_PATH; several names may lead to one.
        public var target: Int32 = -1
        /// 16 bytes, which the guest's connections begin with.
        public var token: [UInt8] = []

        /// What is required is still to be set.
        public init() {}

        /// Lists the flags.
        public mutating func list(_ fields: inout ArgumentCoder) throws(ArgumentError) {
            try fields.value("name", &name, .text { !$0.isEmpty && !$0.utf8.contains(UInt8(ascii: "/")) })
            try fields.descriptor("listen-fd", &listener, minimum: 3)
            try fields.value("target-fd", &target, .number(3...Int32.max))
            try fields.value("token", &token, .bytes(16))
        }
    }

    /// The directory of the guest's vsock.
    public var directory: Int32 = -1
    /// A pidfd: there is something to serve for as long as its process lives.
    public var process: Int32 = -1
    /// At least one.
    public var sockets: [Socket] = []

    /// What is required is still to be set.
    public init() {}

    /// Lists the flags.
    public mutating func list(_ flags: inout ArgumentCoder) throws(ArgumentError) {
        try flags.descriptor("--directory-fd", &directory, minimum: 3)
        try flags.descriptor("--process-fd", &process, minimum: 3)
        try flags.fields("--socket", &sockets, isRequired: true)
    }
}
