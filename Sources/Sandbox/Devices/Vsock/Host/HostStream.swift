// SPDX-License-Identifier: Apache-2.0
public import GuestMemory
public import Linux

/// The host's end of one connection: bytes both ways, never waiting. It closes when it is let go.
public protocol HostStream: AnyObject {
    /// Fills `slices` from the front with what is there.
    ///
    /// - Returns: the bytes taken; 0 when the host will send no more.
    /// - Throws: `EAGAIN` when there is nothing yet; anything else ends the connection.
    func receive(into slices: [GuestSlice]) throws(Errno) -> Int

    /// Hands on the bytes of `slices`.
    ///
    /// - Returns: how many were taken; fewer than given mean that the stream is full.
    /// - Throws: `EAGAIN` when it is full; anything else means that the host receives no more.
    func send(_ slices: [GuestSlice]) throws(Errno) -> Int

    /// The same for bytes kept here.
    func send(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int

    /// The guest sends no more: the host reads the end of the stream.
    func endSending()

    /// The guest receives no more: the host's writes fail.
    func endReceiving()
}

/// Where connections to the host's ports lead.
public protocol HostPorts: AnyObject {
    /// Connects to `port`; what happens on the stream is reported under `token`.
    ///
    /// - Throws: `EAGAIN` when it is worth trying again; anything else refuses the connection.
    func connect(toPort port: UInt32, token: UInt64) throws(Errno) -> any HostStream
}

/// Bounds on what a guest, and a host peer, can make the device hold.
public struct VsockLimits: Sendable {
    /// Connections at a time, those still handing on their last bytes counted.
    public var connections = 4096
    /// The bytes of the guest kept for a connection whose host end is slow, `buf_alloc`.
    public var window: UInt32 = 256 * 1024
    /// RST packets waiting for the guest's buffers before its packets are left in the queue.
    public var resets = 256
    /// Host peers that have not said yet which port they want.
    public var handshakes = 64

    /// The usual limits.
    public init() {}
}

/// How long the device waits for others.
enum Patience {
    /// For a host peer's CONNECT line.
    static let handshake = Duration.seconds(2)
    /// For a host listener whose backlog is full: as long as Linux lets a guest's connect(2) last.
    static let dial = Duration.seconds(2)
    static let dialAgain = Duration.milliseconds(5)
    /// For a guest's answer to REQUEST: the guest of a busy host may be slow, and a peer who has waited enough hangs up.
    static let request = Duration.seconds(30)
    /// For a guest's RST once both sides are done.
    static let close = Duration.seconds(10)
}
