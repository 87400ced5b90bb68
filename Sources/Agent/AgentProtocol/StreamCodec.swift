import CAgentProtocol

/// The frames that open a stream connection.
public enum StreamHandshake {
    /// The most bytes a hello may have: nothing is known of the peer yet.
    public static let helloLimit = 64

    /// The frame that names the stream.
    public static func hello(_ token: StreamToken) throws(AgentProtocolError) -> [UInt8] {
        let arena = EncodingArena()
        // The token's bytes live in the arena.
        defer { withExtendedLifetime(arena) {} }
        var message = unsafe Fcrunc__Agent__StreamHello()
        unsafe fcrunc__agent__stream_hello__init(&message)
        unsafe message.version = AgentProtocol.version
        unsafe message.token = arena.bytes(token.bytes)
        return try unsafe Frame.wrap(
            Wire.packed(
                &message, packedSize: fcrunc__agent__stream_hello__get_packed_size,
                pack: fcrunc__agent__stream_hello__pack))
    }

    /// The token of a hello of this version.
    ///
    /// - Parameter bytes: one message, without its byte count.
    public static func token(decoding bytes: [UInt8]) throws(AgentProtocolError) -> StreamToken {
        try unsafe Wire.unpack(
            bytes, by: fcrunc__agent__stream_hello__unpack,
            packedSize: fcrunc__agent__stream_hello__get_packed_size, pack: fcrunc__agent__stream_hello__pack,
            free: fcrunc__agent__stream_hello__free_unpacked
        ) { (message) throws(AgentProtocolError) in
            let version = unsafe message.pointee.version
            guard version == AgentProtocol.version else {
                throw .unknownValue(field: "stream_hello.version", value: Int64(version))
            }
            guard let token = try StreamToken(wire: unsafe Wire.bytes(message.pointee.token), "stream_hello.token")
            else {
                throw .missing(field: "stream_hello.token")
            }
            return token
        }
    }

    /// The frame that answers a hello: a StreamWelcome, which has no fields.
    public static let welcome: [UInt8] = [0, 0, 0, 0]
}
