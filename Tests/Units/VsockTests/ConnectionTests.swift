// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Vsock

private let guestCID: UInt64 = 42

private func packet(
    _ operation: Operation, payloadCount: UInt32 = 0, flags: UInt32 = 0, window: UInt32 = 1000, forwarded: UInt32 = 0
) -> PacketHeader {
    var packet = PacketHeader(
        sourceCID: guestCID, destinationCID: ContextID.host, sourcePort: 7, destinationPort: 1024, operation: operation)
    packet.payloadCount = payloadCount
    packet.flags = flags
    packet.window = window
    packet.forwarded = forwarded
    return packet
}

private func connection(_ phase: Connection.Phase, window: UInt32 = 400) -> Connection {
    switch phase {
    case .dialing:
        return Connection(request: packet(.request), window: window)
    case .requesting:
        return Connection(guestCID: guestCID, guestPort: 7, hostPort: 1024, window: window)
    case .established:
        var connection = Connection(request: packet(.request), window: window)
        connection.hostConnected()
        _ = connection.nextControl()
        return connection
    }
}

@Suite("One connection, virtio 1.2 §5.10.6")
struct ConnectionTests {
    @Test(
        "Each packet has its outcome in each phase of a connection",
        arguments: [
            (.dialing, .response, .violation(.operation(.response))),
            (.dialing, .readWrite, .violation(.operation(.readWrite))),
            (.dialing, .request, .violation(.operation(.request))),
            (.dialing, .reset, .reset),
            (.requesting, .response, .accepted),
            (.requesting, .reset, .reset),
            (.requesting, .readWrite, .violation(.operation(.readWrite))),
            (.requesting, .shutdown, .violation(.operation(.shutdown))),
            (.established, .request, .violation(.operation(.request))),
            (.established, .response, .violation(.operation(.response))),
            (.established, .readWrite, .nothing),
            (.established, .creditUpdate, .nothing),
            (.established, .creditRequest, .nothing),
            (.established, .shutdown, .shutdown),
            (.established, .reset, .reset),
            (.established, .unknown(0), .violation(.operation(.unknown(0)))),
            (.established, .unknown(99), .violation(.operation(.unknown(99)))),
        ] as [(Connection.Phase, Operation, Connection.Outcome)])
    func outcomes(_ phase: Connection.Phase, _ operation: Operation, _ outcome: Connection.Outcome) {
        var connection = connection(phase)
        #expect(connection.receive(packet(operation)) == outcome)
    }

    @Test("A guest's request is answered once the host has connected")
    func guestAsksAndIsAnswered() {
        var connection = connection(.dialing)
        #expect(!connection.hasControl)
        connection.hostConnected()
        let response = connection.nextControl()
        #expect(response?.operation == .response)
        #expect(response?.window == 400)
        #expect(response?.sourcePort == 1024)
        #expect(response?.destinationPort == 7)
        #expect(response?.sourceCID == 2)
        #expect(response?.destinationCID == 42)
        #expect(connection.nextControl() == nil)
    }

    @Test("A host's request takes data once the guest has accepted")
    func hostAsks() {
        var connection = connection(.requesting)
        #expect(connection.nextControl()?.operation == .request)
        #expect(!connection.takesHostData)
        #expect(connection.receive(packet(.response)) == .accepted)
        #expect(connection.takesHostData)
        #expect(connection.credit == 1000)
    }

    @Test("The guest may fill its window and send no byte more")
    func theGuestMayFillItsWindowAndNoMore() {
        var connection = connection(.established)
        #expect(connection.receive(packet(.readWrite, payloadCount: 400)) == .data)
        #expect(connection.receive(packet(.readWrite, payloadCount: 1)) == .violation(.window))
    }

    @Test("Freed room counts only once a credit update has gone to the guest")
    func roomCountsOnceTheGuestWasTold() {
        var connection = connection(.established)
        _ = connection.receive(packet(.readWrite, payloadCount: 400))
        connection.forward(99)
        #expect(!connection.hasControl, "an update for every byte")
        connection.forward(1)
        var untold = connection
        #expect(untold.receive(packet(.readWrite, payloadCount: 100)) == .violation(.window))
        let update = connection.nextControl()
        #expect(update?.operation == .creditUpdate)
        #expect(update?.forwarded == 100)
        #expect(connection.receive(packet(.readWrite, payloadCount: 100)) == .data)
        #expect(connection.receive(packet(.readWrite, payloadCount: 1)) == .violation(.window))
    }

    @Test("A huge payload count violates the window and does not wrap")
    func hugePayloadsDoNotWrap() {
        var connection = connection(.established)
        #expect(connection.receive(packet(.readWrite, payloadCount: .max)) == .violation(.window))
    }

    @Test("Byte counts wrap around without losing credit")
    func countsWrapAround() {
        var connection = connection(.established, window: 1 << 31)
        for _ in 0..<5 {
            #expect(connection.receive(packet(.readWrite, payloadCount: 1 << 31)) == .data)
            connection.forward(1 << 31)
            #expect(connection.nextControl()?.operation == .creditUpdate)
        }
    }

    @Test("Data to the guest uses its credit, and updates restore it")
    func sendingUsesCredit() {
        var connection = connection(.established)
        let data = connection.data(byteCount: 1000)
        #expect(data.operation == .readWrite)
        #expect(data.payloadCount == 1000)
        #expect(connection.credit == 0)
        #expect(!connection.takesHostData)
        #expect(connection.receive(packet(.creditUpdate, forwarded: 600)) == .nothing)
        #expect(connection.credit == 600)
        #expect(connection.receive(packet(.creditUpdate, window: 300, forwarded: 600)) == .nothing)
        #expect(connection.credit == 0, "a window that shrank below what is on its way")
    }

    @Test("Credit is requested once, and again after it is granted and used up")
    func creditIsAskedForOnce() {
        var connection = connection(.established)
        _ = connection.data(byteCount: 1000)
        connection.wantCredit()
        #expect(connection.nextControl()?.operation == .creditRequest)
        connection.wantCredit()
        #expect(connection.nextControl() == nil)
        _ = connection.receive(packet(.creditUpdate, forwarded: 1000))
        _ = connection.data(byteCount: 1000)
        connection.wantCredit()
        #expect(connection.nextControl()?.operation == .creditRequest)
    }

    @Test("A credit request is answered with one credit update")
    func creditAskedForIsTold() {
        var connection = connection(.established)
        _ = connection.receive(packet(.creditRequest))
        #expect(connection.nextControl()?.operation == .creditUpdate)
        #expect(connection.nextControl() == nil)
    }

    @Test("A forwarded count beyond the bytes sent is a violation, and a late one is not")
    func forwardedCountsThatCannotBeTrue() {
        var connection = connection(.established)
        _ = connection.data(byteCount: 500)
        #expect(connection.receive(packet(.creditUpdate, forwarded: 500)) == .nothing)
        #expect(connection.receive(packet(.creditUpdate, forwarded: 200)) == .nothing, "late, not false")
        #expect(connection.credit == 1000, "credit went backwards")
        #expect(connection.receive(packet(.creditUpdate, forwarded: 501)) == .violation(.forwarded))
    }

    @Test("Shutdown flags add up until the connection is closed")
    func shutdownAddsUp() {
        var connection = connection(.established)
        #expect(connection.receive(packet(.shutdown, flags: 2)) == .shutdown)
        #expect(connection.receive(packet(.readWrite, payloadCount: 1)) == .violation(.dataAfterShutdown))
        #expect(connection.takesHostData)
        #expect(connection.receive(packet(.shutdown, flags: 1)) == .closed)
        #expect(!connection.takesHostData)
    }

    @Test("Unknown shutdown flags mean nothing")
    func unknownShutdownFlagsMeanNothing() {
        var connection = connection(.established)
        #expect(connection.receive(packet(.shutdown, flags: ~3)) == .shutdown)
        #expect(connection.guestEnded == [])
    }

    @Test("The host's end of each direction is sent as a shutdown")
    func theHostsEndIsTold() {
        var connection = connection(.established)
        connection.hostEnds(.sending)
        #expect(connection.nextControl()?.flags == 2)
        #expect(!connection.awaitsReset)
        #expect(connection.nextControl() == nil)
        connection.hostEnds(.receiving)
        #expect(connection.nextControl()?.flags == 3)
        #expect(connection.awaitsReset)
        #expect(!connection.takesHostData)
    }
}
