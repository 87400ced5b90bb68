// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Net
import Synchronization
import TestSupport
import Testing
import Virtio

/// With a real tap interface, in a network namespace of the test's own.
@Suite(.enabled(if: TapNetwork.isAvailable, "taps and network namespaces are root's, and need /dev/net/tun"))
struct TapTests {
    @Test("A tap with other flags, or attached to no interface, is refused")
    func otherFlagsAreRefused() throws {
        // No header; packets of IP, IFF_TUN.
        for flags: TapInterface.Flags in [[.tap, .noProtocol], [.noProtocol, .virtioHeader, .init(rawValue: 1)]] {
            let network = try TapNetwork(flags)
            #expect(throws: NetError.flags(flags.rawValue)) { _ = try network.tap() }
        }
        #expect {
            _ = try Tap(try FileDescriptor.open("/dev/net/tun", [.readWrite]))
        } throws: { error in
            guard case NetError.notATap = error else { return false }
            return true
        }
    }

    @Test("A tap offers checksum and segmentation offload in both directions")
    func theKernelLeavesWhatItCan() throws {
        let driver = try NetDriver(try TapNetwork().tap())
        let least = NetDriver.bits(0, 1, 5, 7, 8, 9, 11, 12, 13, 15, 16)
        #expect(driver.device.features & least == least)
    }

    @Test("Frames pass through a tap interface in both directions")
    func framesGoThroughTheInterface() throws {
        let network = try TapNetwork()
        let driver = try NetDriver(try network.tap())
        try driver.post(64, 1536)
        for count in [60, 1514] {
            try driver.send(TestFrame.other(count))
            #expect(try network.receive().frame == TestFrame.other(count))
            try network.send(TestFrame.other(count, from: 50))
            let (header, frame) = try driver.nextFrame()
            #expect(frame == TestFrame.other(count, from: 50))
            #expect(header[10] == 1)
        }
    }

    @Test("A driver with segmentation offload receives large frames whole")
    func segmentsAreLeftToTheDriverThatTakesThem() throws {
        let network = try TapNetwork()
        let driver = try NetDriver(try network.tap())
        try driver.post(64, 1536)
        let frame = TestFrame.tcp(payload: 30000)
        try network.send(frame, header: TestFrame.segmented)
        let (header, bytes) = try driver.nextFrame()
        #expect(header.prefix(6) == TestFrame.segmented.prefix(6))
        #expect(Int(header[10]) == (frame.count + 12 + 1535) / 1536)
        #expect(bytes.count == frame.count)
        #expect(bytes.suffix(30000) == frame.suffix(30000))
    }

    @Test("A driver without segmentation offload receives frames already segmented")
    func segmentsAreMadeForTheDriverThatDoesNot() throws {
        let network = try TapNetwork()
        let driver = try NetDriver(try network.tap(), features: NetDriver.bits(0, 5, 11, 12, 15, 16, 32))
        try driver.post(64, 1536)
        try network.send(TestFrame.tcp(payload: 10000), header: TestFrame.segmented)
        var payload: [UInt8] = []
        while payload.count < 10000 {
            let (header, bytes) = try driver.nextFrame()
            #expect(header.prefix(2) == [0, 0])
            #expect(bytes.count <= 54 + TestFrame.segmentSize)
            payload += bytes.dropFirst(54)
        }
        #expect(payload == TestFrame.tcp(payload: 10000).suffix(10000))
    }

    @Test("A large frame from the driver reaches the interface whole, with its offload header")
    func theDriversSegmentsAreTheKernels() throws {
        let network = try TapNetwork()
        let driver = try NetDriver(try network.tap())
        let frame = TestFrame.tcp(payload: 60000)
        try driver.send(frame, header: TestFrame.segmented + [0, 0])
        let (header, bytes) = try network.receive()
        #expect(header.prefix(6) == TestFrame.segmented.prefix(6))
        #expect(bytes.count == frame.count)
        #expect(bytes.suffix(60000) == frame.suffix(60000))
    }

    @Test("Inconsistent offload headers are dropped, and the link stays up")
    func headersThatLieAreDropped() throws {
        let network = try TapNetwork()
        let driver = try NetDriver(try network.tap())
        let lies: [[UInt8]] = [
            // A checksum beyond the frame, or that wraps.
            [1, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0], [1, 0, 0, 0, 0, 0, 34, 0, 0xff, 0xff],
            [1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
            // Segments of a kind that is none, of no size, of frames that are not of that kind.
            [1, 0x7f, 54, 0, 0xa8, 5, 34, 0, 16, 0], [1, 1, 54, 0, 0, 0, 34, 0, 16, 0],
            [1, 4, 54, 0, 0xa8, 5, 34, 0, 16, 0],
            // A header longer than the frame.
            [1, 1, 0xff, 0xff, 0xa8, 5, 34, 0, 16, 0],
        ]
        for header in lies { try driver.send(TestFrame.tcp(payload: 100), header: header + [0, 0]) }
        #expect(driver.metric("sent_drops") >= 5)
        #expect(driver.metric("sent_drops") + driver.metric("sent_frames") == UInt64(lies.count))
        while (try? network.receive(milliseconds: 20)) != nil {}
        try driver.send(TestFrame.other(99))
        #expect(try network.receive().frame == TestFrame.other(99))
        #expect(driver.device.isLinkUp)
    }

    @Test("An interface that is down drops frames, and passes them again once it is up")
    func anInterfaceThatIsDownDropsAndComesBack() throws {
        let network = try TapNetwork()
        let driver = try NetDriver(try network.tap())
        try network.setUp(false)
        try driver.send(TestFrame.other(60))
        #expect(driver.metric("sent_drops") == 1)
        #expect(driver.device.isLinkUp)
        try network.setUp(true)
        try driver.send(TestFrame.other(61))
        try driver.post(1, 1536)
        try network.send(TestFrame.other(62))
        #expect(try driver.nextFrame().frame == TestFrame.other(62))
    }

    @Test("A vanished interface takes the link down once and costs no processor time", arguments: [true, false])
    func anInterfaceThatVanishesIsACablePulledOut(isBusy: Bool) throws {
        let network = try TapNetwork()
        let told = Told()
        let driver = try NetDriver(
            try network.tap(), onLinkLost: { error in told.lost.withLock { $0.append(error) } },
            configurationChanged: { told.changes.wrappingAdd(1, ordering: .relaxed) })
        if isBusy { try driver.post(64, 1536) }
        try network.vanish()
        #expect(NetDriver.eventually { !driver.device.isLinkUp })
        #expect(NetDriver.eventually { told.changes.load(ordering: .relaxed) == 1 })
        #expect(told.lost.withLock { $0 }.count == 1)
        #expect(driver.device.configuration[6] == 0)
        // The driver's frames go nowhere, but come back.
        for _ in 0..<3 { try driver.send(TestFrame.other(60)) }
        #expect(driver.metric("sent_drops") == 3)
        // And nothing spins.
        let before = try #require(driver.served.processorTime)
        SystemTime.sleep(milliseconds: 100)
        #expect(try #require(driver.served.processorTime) - before < 50_000_000)
        driver.device.reset()
        let queues = (
            try driver.receive.deviceQueue(),
            try driver.transmit.deviceQueue(nextAvailable: driver.transmit.nextAvailable)
        )
        try driver.device.activate(
            VirtioActivation(
                memory: driver.memory.guest, features: driver.features, queues: [queues.0, queues.1]))
        try driver.send(TestFrame.other(60))
        #expect(told.lost.withLock { $0 }.count == 1)
    }

    @Test("An interface that vanished before activation leaves the link down")
    func anInterfaceThatVanishedBeforeActivationIsDown() throws {
        let network = try TapNetwork()
        let tap = try network.tap()
        try network.vanish()
        let driver = try NetDriver(tap)
        try driver.send(TestFrame.other(60))
        #expect(NetDriver.eventually { !driver.device.isLinkUp })
    }

    private final class Told: Sendable {
        let lost = Mutex<[Errno]>([])
        let changes = Atomic(0)
    }
}
