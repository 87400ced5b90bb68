// SPDX-License-Identifier: Apache-2.0
import CAgentProtocol
public import Protobuf

/// The frames that open a stream connection.
public enum StreamHandshake {
    /// The most bytes a hello may have: nothing is known of the peer yet.
    public static let helloLimit = 64

    /// The frame that names the stream.
    public static func hello(_ token: StreamToken) throws(MessageError) -> [UInt8] {
        try Frame.pack(StreamHello(version: AgentProtocol.version, token: token), limit: helloLimit)
    }

    /// The token of a hello of this version.
    ///
    /// - Parameter bytes: one message, without its byte count.
    public static func token(decoding bytes: [UInt8]) throws(MessageError) -> StreamToken {
        let hello = try StreamHello(unpacking: bytes)
        guard hello.version == AgentProtocol.version else {
            throw .unknownValue(field: "stream_hello.version", value: Int64(hello.version))
        }
        guard let token = hello.token else { throw .missing(field: "stream_hello.token") }
        return token
    }

    /// The frame that answers a hello: a StreamWelcome, which has no fields.
    public static let welcome: [UInt8] = [0, 0, 0, 0]
}

/// The frame that names a stream.
struct StreamHello: AgentMessage {
    static let blank = StreamHello()
    // The function fills a structure of the type it takes.
    static let kind = unsafe MessageKind(fcrunc__agent__stream_hello__init)

    var version: UInt32 = 0
    var token: StreamToken?

    mutating func exchange(_ fields: MessageFields) {
        fields.number("version", &version)
        fields.token("token", &token)
    }
}
