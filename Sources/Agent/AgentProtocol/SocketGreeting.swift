// SPDX-License-Identifier: Apache-2.0
/// What the agent says first on a connection to the host's port of a bound socket, and nothing is answered: the token of the
/// socket, and the user and group whose process connects, each four bytes, the lowest first.
public struct SocketGreeting: Hashable, Sendable {
    /// How many bytes a greeting has.
    public static let byteCount = StreamToken.byteCount + 8

    /// Which socket was connected to.
    public var token: StreamToken
    /// The effective user of the process that connects.
    public var uid: UInt32
    /// Its effective group.
    public var gid: UInt32

    /// The greeting for the socket of `token`, of a process with these effective ids.
    public init(token: StreamToken, uid: UInt32, gid: UInt32) {
        self.token = token
        self.uid = uid
        self.gid = gid
    }

    /// The greeting as it is sent.
    public var bytes: [UInt8] {
        token.bytes + [uid, gid].flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
    }

    /// nil where `bytes` are of another number.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount, let token = StreamToken(Array(bytes[..<StreamToken.byteCount])) else {
            return nil
        }
        func number(at start: Int) -> UInt32 {
            bytes[start..<(start + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        self.init(token: token, uid: number(at: StreamToken.byteCount), gid: number(at: StreamToken.byteCount + 4))
    }
}
