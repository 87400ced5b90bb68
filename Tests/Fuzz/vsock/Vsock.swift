// SPDX-License-Identifier: Apache-2.0
import GuestMemory
import Linux
import Virtio
import Vsock

// The input is a program for both sides of the device: what the guest's driver puts in its queues, and what the
// host's streams do meanwhile. Held against it: no trap, no more connections than allowed, no more bytes kept
// than the windows promise, and every chain returned once.

private final class FuzzStream: HostStream {
    let token: UInt64
    var fromHost = 0
    var room = 0
    var isEnded = false
    var failure: Errno?

    init(token: UInt64) { self.token = token }

    func receive(into slices: [GuestSlice]) throws(Errno) -> Int {
        if let failure { throw failure }
        precondition(!slices.isEmpty, "asked for nothing")
        if fromHost == 0 {
            if isEnded { return 0 }
            throw .wouldBlock
        }
        let count = min(fromHost, slices.byteCount)
        fromHost -= count
        return count
    }

    func send(_ slices: [GuestSlice]) throws(Errno) -> Int { try take(slices.byteCount) }
    func send(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int { try take(bytes.count) }
    func endSending() {}
    func endReceiving() {}

    private func take(_ byteCount: Int) throws(Errno) -> Int {
        if let failure { throw failure }
        if room == 0 { throw .wouldBlock }
        let count = min(room, byteCount)
        room -= count
        return count
    }
}

private final class FuzzHost: HostPorts {
    var streams: [FuzzStream] = []

    func connect(toPort port: UInt32, token: UInt64) throws(Errno) -> any HostStream {
        if port == 3 { throw .connectionRefused }
        if port == 4 { throw .wouldBlock }
        let stream = FuzzStream(token: token)
        streams.append(stream)
        return stream
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    guard let data else { return 0 }
    do { try play(Input(bytes: UnsafeRawBufferPointer(start: data, count: byteCount)[...])) } catch {}
    return 0
}

private func play(_ input: Input) throws {
    var input = input
    var limits = VsockLimits()
    limits.connections = 8
    limits.window = 4096
    limits.resets = 16
    let features: UInt64 = input.byte() & 1 == 0 ? 1 << 32 : 1 << 32 | 1 << 28 | 1 << 29
    let host = FuzzHost()
    let muxer = Muxer(guestCID: 3, host: host, limits: limits)
    var receive = try Ring(0)
    var transmit = try Ring(1)
    let pump = QueuePump(
        muxer: muxer, receiveQueue: try receive.queue(features: features),
        transmitQueue: try transmit.queue(features: features))
    var now = Duration.zero
    var steps = 0
    while !input.isEmpty, steps < 2000 {
        steps += 1
        switch input.byte() % 8 {
        case 0, 1: try packet(&input, &transmit)
        case 2: try buffer(&input, &receive)
        case 3:
            // Anything at all in a ring.
            let ring = input.byte() & 1 == 0 ? receive : transmit
            let index = input.word()
            try ring.describe(
                index, UInt64(input.long()) << (input.byte() & 32), input.long(), input.word(), input.word())
        case 4: stream(&input, host, muxer, now)
        case 5:
            let stream = FuzzStream(token: muxer.newToken())
            stream.room = Int(input.byte())
            host.streams.append(stream)
            _ = muxer.request(guestPort: UInt32(input.byte() & 3), stream: stream, token: stream.token, now: now)
        case 6:
            now += .milliseconds(Int(input.word()))
            muxer.passTime(now: now)
        default:
            if input.byte() & 1 == 0 { try transmit.offer(input.word()) } else { try receive.offer(input.word()) }
        }
        var turns = 0
        while try pump.pump(now: now) {
            turns += 1
            precondition(turns < 1000, "the pump never rests")
        }
        precondition(muxer.connectionCount <= limits.connections, "more connections than allowed")
        let taken = try transmit.usedCount()
        precondition(transmit.nextAvailable &- taken <= Ring.size || taken == 0, "a chain returned twice")
    }
}

/// A packet in one, two or three descriptors, with fields that tend to fit what there is.
private func packet(_ input: inout Input, _ transmit: inout Ring) throws {
    let slot = UInt16(input.byte() & 15)
    let start = 65536 + UInt64(slot) * 8192
    let shape = input.byte()
    var header = PacketHeader(
        sourceCID: shape & 64 == 0 ? 3 : UInt64(input.byte()),
        destinationCID: shape & 128 == 0 ? 2 : UInt64(input.byte()),
        sourcePort: UInt32(input.byte() & 3),
        destinationPort: shape & 32 == 0 ? UInt32(input.byte() & 7) : 1 << 30 | UInt32(input.byte() & 7),
        operation: Operation(rawValue: UInt16(input.byte() & 15)))
    if shape & 16 != 0 { header.type = input.word() }
    header.payloadCount = shape & 8 == 0 ? UInt32(input.word() & 2047) : input.long()
    header.flags = UInt32(input.byte())
    header.window = shape & 4 == 0 ? 65536 : input.long()
    header.forwarded = UInt32(input.word())
    try header.write(to: [try Guest.memory.slice(at: GuestAddress(rawValue: start), byteCount: 44)])
    let byteCount = UInt32(input.word() & 4095)
    let first = 3 * slot
    switch shape & 3 {
    case 0: try transmit.describe(first, start, byteCount, 0, 0)
    case 1:
        try transmit.describe(first, start, 44, 1, first + 1)
        try transmit.describe(first + 1, start + 4096, byteCount, 0, 0)
    default:
        let cut = UInt32(input.byte() % 45)
        try transmit.describe(first, start, cut, 1, first + 1)
        try transmit.describe(first + 1, start + UInt64(cut), 44 - cut, 1, first + 2)
        try transmit.describe(first + 2, start + 4096, byteCount, 0, 0)
    }
    try transmit.offer(first)
}

private func buffer(_ input: inout Input, _ receive: inout Ring) throws {
    let count = UInt16(input.byte() & 15) + 1
    let byteCount = UInt32(input.byte()) + 45
    for _ in 0..<count {
        let index = receive.nextAvailable % Ring.size
        try receive.describe(index, 512 * 1024 + UInt64(index) * 4096, byteCount, 2, 0)
        try receive.offer(index)
    }
}

/// Something happens on a stream, be it alive or not.
private func stream(_ input: inout Input, _ host: FuzzHost, _ muxer: Muxer, _ now: Duration) {
    guard !host.streams.isEmpty else { return }
    let stream = host.streams[Int(input.byte()) % host.streams.count]
    let what = input.byte()
    var events: Epoll.Events = []
    if what & 1 != 0 {
        stream.fromHost += Int(input.word())
        events.insert(.readable)
    }
    if what & 2 != 0 {
        stream.room += Int(input.word())
        events.insert(.writable)
    }
    if what & 4 != 0 {
        stream.isEnded = true
        events.insert([.readable, .peerHangUp])
    }
    if what & 8 != 0 {
        stream.isEnded = true
        events.insert([.readable, .peerHangUp, .hangUp])
    }
    if what & 16 != 0 {
        stream.failure = what & 32 == 0 ? .connectionReset : .brokenPipe
        events.insert(.error)
    }
    muxer.streamChanged(token: stream.token, events: events, now: now)
}
