// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Net
import Synchronization
import TestSupport
import Testing

/// A device without a tap, whose cable is a socket once it is plugged in.
@Suite("A network device that is given its tap later", .timeLimit(.minutes(1)))
struct SlotTests {
    /// Nothing that only a kernel's tap can do.
    static let plain = NetDriver.bits(0, 5, 11, 12, 13, 15, 16, 32)

    private func frame(_ count: Int = 60) -> [UInt8] { Peer.frame(count) }

    @Test("Without a tap the link is down, and checksum and TCP segmentation are offered in both directions")
    func whatIsOfferedDoesNotDependOnTheTap() throws {
        let driver = try NetDriver(nil)
        #expect(driver.device.features == NetDriver.bits(0, 1, 5, 7, 8, 9, 11, 12, 13, 15, 16))
        #expect(!driver.device.isLinkUp)
        #expect(driver.device.configuration == NetDriver.address + [0, 0, 1, 0, 0, 0])
    }

    @Test("Without a tap the driver's frames are dropped, and its buffers are kept for the tap that comes")
    func framesGoNowhereUntilThen() throws {
        let changes = Changes()
        let driver = try NetDriver(nil, features: Self.plain, configurationChanged: changes.count)
        try driver.post(4, 1536)
        for _ in 0..<3 { try driver.send(frame()) }
        #expect(driver.metric("sent_drops") == 3)
        #expect(try driver.receive.takeUsed() == nil)
        let peer = try Peer()
        try driver.device.attach(peer.tap)
        #expect(driver.device.isLinkUp && driver.device.configuration[6] == 1)
        #expect(changes.number == 1)
        for count in [60, 61, 62, 63] {
            try peer.send(frame(count))
            #expect(try driver.nextFrame().frame == frame(count))
        }
        try driver.send(frame(99))
        #expect(try peer.receive().frame == frame(99))
    }

    @Test("Without a tap nothing spins")
    func aSlotCostsNoProcessorTime() throws {
        let driver = try NetDriver(nil)
        try driver.post(4, 1536)
        try driver.send(frame())
        let before = try #require(driver.served.processorTime)
        SystemTime.sleep(milliseconds: 100)
        #expect(try #require(driver.served.processorTime) - before < 50_000_000)
    }

    @Test("A second tap is refused while the first is attached, which goes on")
    func oneTapAtATime() throws {
        let (first, second) = (try Peer(), try Peer())
        let driver = try NetDriver(nil, features: Self.plain)
        try driver.device.attach(first.tap)
        for _ in 0..<2 { #expect(throws: NetError.attached) { try driver.device.attach(second.tap) } }
        #expect("\(NetError.attached)" == "a tap is attached already")
        try driver.send(frame())
        #expect(try first.receive().frame == frame())
    }

    @Test("A detached tap gets no more frames, is closed, and another one takes its place")
    func aTapThatIsTakenAway() throws {
        let changes = Changes()
        let driver = try NetDriver(nil, features: Self.plain, configurationChanged: changes.count)
        try driver.post(8, 1536)
        for round in 1...3 {
            let pair = try UnixSocket.pair(type: .datagram)
            try driver.device.attach(Tap(packetSocket: pair.second.duplicate()))
            let peer = try pair.first.duplicate()
            _ = consume pair
            try driver.send(frame())
            #expect(try peer.read(upTo: 100).count == 72)
            _ = try peer.write([UInt8](repeating: 0, count: 12) + frame(61), 0..<73)
            #expect(try driver.nextFrame().frame == frame(61))
            driver.device.detach()
            driver.device.detach()
            #expect(!driver.device.isLinkUp && driver.device.configuration[6] == 0)
            #expect(changes.number == 2 * round)
            // Nobody has the other end.
            #expect(throws: Errno.connectionRefused) { _ = try peer.write([0], 0..<1) }
            try driver.send(frame())
            #expect(driver.metric("sent_drops") == UInt64(round))
        }
    }

    @Test("A tap stays with the device when its driver is reset, and changes hands between two drivers")
    func driversComeAndGo() throws {
        let (first, second) = (try Peer(), try Peer())
        let driver = try NetDriver(nil, features: Self.plain)
        try driver.post(8, 1536)
        try driver.device.attach(first.tap)
        for _ in 0..<3 {
            driver.device.reset()
            try first.send(frame(77))
            try driver.activate()
            #expect(try driver.nextFrame().frame == frame(77))
            try driver.send(frame())
            #expect(try first.receive().frame == frame())
        }
        driver.device.reset()
        driver.device.detach()
        #expect(!driver.device.isLinkUp)
        // Without a driver nothing is agreed yet: the tap must do all that is offered.
        #expect(throws: NetError.offloads(lacking: [.checksum, .tcp4, .tcp6, .tcpECN])) {
            try driver.device.attach(second.tap)
        }
        try driver.activate()
        try driver.device.attach(second.tap)
        try driver.send(frame(88))
        #expect(try second.receive().frame == frame(88))
    }

    @Test("A tap without an offload that the driver has agreed on is refused by the offload's name")
    func anAgreedOffloadMustBeThere() throws {
        let driver = try NetDriver(nil, features: NetDriver.bits(0, 1, 5, 7, 15, 16, 32))
        let peer = try Peer()
        let error = #expect(throws: NetError.self) { try driver.device.attach(peer.tap) }
        #expect(error == .offloads(lacking: [.checksum, .tcp4]))
        #expect(error?.description == "the tap lacks the offloads csum, tso4")
        #expect(!driver.device.isLinkUp)
    }

    @Test("An MTU that no interface can have is refused, and a large one makes room for its frames")
    func theMTUIsOfTheFramesThatCome() throws {
        let driver = try NetDriver(nil, features: Self.plain)
        let peer = try Peer()
        for mtu in [-1, 67, 65536] {
            #expect(throws: NetError.mtu(mtu)) { try driver.device.attach(peer.tap, mtu: mtu) }
        }
        try driver.device.attach(peer.tap, mtu: 9000)
        try driver.post(16, 1536)
        try peer.send(frame(9014))
        #expect(try driver.nextFrame().frame == frame(9014))
    }

    @Test("Taps that come and go on one thread, and drivers on another, leave the device whole")
    func attachRacesWithActivation() throws {
        let driver = try NetDriver(nil, features: Self.plain)
        try driver.post(64, 1536)
        let device = driver.device
        let isOver = Changes()
        let plugging = try Thread(named: "plugging") {
            while isOver.number == 0 {
                guard let peer = try? Peer() else { return }
                try? device.attach(peer.tap)
                _ = try? peer.socket.write([UInt8](repeating: 0, count: 12) + Peer.frame(60), 0..<72)
                device.detach()
            }
        }
        for _ in 0..<200 {
            driver.device.reset()
            try driver.activate()
            try driver.send(frame())
            while try driver.receive.takeUsed() != nil { try driver.post(1, 1536) }
        }
        isOver.count()
        plugging.join()
        let peer = try Peer()
        try driver.device.attach(peer.tap)
        try peer.send(frame(70))
        while try driver.nextFrame().frame != frame(70) {}
    }

    final class Changes: Sendable {
        private let counter = Atomic(0)
        var number: Int { counter.load(ordering: .relaxed) }
        func count() { counter.wrappingAdd(1, ordering: .relaxed) }
    }
}

/// The same with tap interfaces.
@Suite(.enabled(if: TapNetwork.isAvailable, "taps and network namespaces are root's, and need /dev/net/tun"))
struct TapSlotTests {
    @Test(
        "A tap is attached before or after the driver starts, with the offloads that it agreed on",
        arguments: [true, false])
    func aTapComesBeforeOrAfter(isBefore: Bool) throws {
        let network = try TapNetwork()
        let driver = try NetDriver(nil)
        try driver.post(64, 1536)
        if isBefore { driver.device.reset() }
        try driver.device.attach(try network.tap())
        if isBefore { try driver.activate() }
        // The kernel leaves segmentation to a driver that takes it.
        let frame = TestFrame.tcp(payload: 30000)
        try network.send(frame, header: TestFrame.segmented)
        let (header, bytes) = try driver.nextFrame()
        #expect(header.prefix(6) == TestFrame.segmented.prefix(6))
        #expect(bytes.count == frame.count)
        try driver.send(frame, header: TestFrame.segmented + [0, 0])
        #expect(try network.receive().frame.count == frame.count)
    }

    @Test("A tap whose interface has gone makes room for another", arguments: [true, false])
    func aLostTapIsReplaced(isRunning: Bool) throws {
        let lost = SlotTests.Changes()
        let driver = try NetDriver(nil, onLinkLost: { _ in lost.count() })
        try driver.post(64, 1536)
        for round in 1...2 {
            let network = try TapNetwork()
            try driver.device.attach(try network.tap())
            try driver.send(TestFrame.other(60))
            #expect(try network.receive().frame == TestFrame.other(60))
            try network.vanish()
            #expect(NetDriver.eventually { !driver.device.isLinkUp && lost.number == round })
            if !isRunning {
                driver.device.reset()
                try driver.activate()
            }
        }
        #expect(driver.metric("sent_frames") == 2)
    }
}
