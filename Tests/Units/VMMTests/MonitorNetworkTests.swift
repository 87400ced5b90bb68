// SPDX-License-Identifier: Apache-2.0
import GuestMemory
import Linux
import TestSupport
import Testing
import VhostUser
import Virtio

@testable import VMM

@Suite("fc-vmm's networks for a machine of QEMU's", .serialized, .timeLimit(.minutes(1)))
struct MonitorNetworkTests {
    /// fc-vmm with one network slot.
    private final class Machine {
        let monitor: MonitorThread

        init() throws {
            let scratch = Scratch()
            let socket = MonitorThread.number(try UnixSocket.listen(at: scratch.path + "/nic0"))
            monitor = try MonitorThread(
                ["--net", "id=nic0,mac=02:fc:00:00:00:00,vhost-listen-fd=\(socket)"], in: scratch)
        }

        func end() -> VMMError? { monitor.end() }

        func connect() throws -> FileDescriptor { try UnixSocket.connect(to: monitor.path + "/nic0") }

        /// What is answered to an order with `descriptors` beside it.
        func order(_ line: String, _ descriptors: [BorrowedDescriptor] = []) throws -> String {
            let peer = try UnixSocket.connect(to: monitor.path + "/control")
            let socket = peer.borrowed
            _ = try unsafe Array((line + "\n").utf8).withUnsafeBytes { buffer in
                try unsafe DescriptorPassing.send(buffer, descriptors, on: socket)
            }
            return String(decoding: try peer.readAll(limit: 4096), as: UTF8.self)
        }
    }

    @Test("A slot's session has a network's queues and features, and leaves its configuration to QEMU")
    func aSlotIsServed() throws {
        let machine = try Machine()
        let front = try Frontend(connection: try machine.connect())
        #expect(try front.queueCount() == 2)
        #expect(!front.protocolFeatures.contains(.configuration))
        // CSUM, GUEST_CSUM, MAC, GUEST_TSO4, GUEST_TSO6, GUEST_ECN, HOST_TSO4, HOST_TSO6, HOST_ECN, MRG_RXBUF, STATUS.
        #expect(front.offeredFeatures & 0xff_ffff == 0x1_bba3)
        #expect(machine.end() == nil)
        _ = front.offeredFeatures
    }

    @Test("A driver without a tap has its frames dropped, however often it comes and goes")
    func aDriverComesAndGoes() throws {
        let machine = try Machine()
        let front = try Frontend(connection: try machine.connect())
        let memory = try MockMemory()
        try front.setMemory([memory.piece])
        for _ in 0..<5 {
            let features = try front.negotiate(VirtioFeature.version1)
            let (receive, transmit) = (
                try MockQueue(memory, size: 16, features: features), try MockQueue(memory, size: 16, features: features)
            )
            for (index, queue) in [receive, transmit].enumerated() {
                try front.startRing(index, queue.layout, kick: queue.kick, call: queue.call)
                try front.enableRing(index)
            }
            try receive.add(writable: [1536])
            try receive.notify()
            for _ in 0..<3 {
                try transmit.add(readable: [[UInt8](repeating: 0, count: 72)])
                try transmit.notify()
                _ = try transmit.waitUsed()
            }
            #expect(try front.stopRing(0) == 0 && front.stopRing(1) == 3)
        }
        #expect(try machine.order("metrics").contains("\"sent_drops\":15,"))
        #expect(machine.end() == nil)
    }

    @Test("A machine whose QEMU never connects to a slot ends with the others all the same")
    func aSlotThatNobodyConnectsTo() throws {
        #expect(try Machine().end() == nil)
    }

    @Test("A slot takes one connection, and no second")
    func oneConnectionIsAllThereIs() throws {
        let machine = try Machine()
        let front = try Frontend(connection: try machine.connect())
        // It has been answered, so its connection was accepted.
        #expect(try front.queueCount() == 2)
        #expect(NetworkWait.eventually { (try? machine.connect()) == nil })
        #expect(try front.queueCount() == 2)
    }

    @Test("Nonsense on a slot's socket ends the monitor by the slot's name")
    func nonsenseOnItsSocketEndsTheMachine() throws {
        let machine = try Machine()
        let vsock = try machine.monitor.vsock!.duplicate()
        try machine.connect().writeAll([UInt8](repeating: 0xff, count: 64))
        guard case .device("network nic0", .connection) = machine.end() else {
            Issue.record("no error of the network's")
            return
        }
        #expect(try vsock.read(upTo: 1).isEmpty, "the vsock was hung up on")
    }

    @Test("Orders to a slot are carried out, or refused by what is wrong with them")
    func orders() throws {
        let machine = try Machine()
        let pipe = try FileDescriptor.pipe()
        let writer = pipe.writer.borrowed
        for (line, descriptors, answer) in [
            ("net nic0 attach", [], "error: no descriptor came with the line\n"),
            ("net nic0 attach", [writer, writer], "error: more than one descriptor\n"),
            ("net nic1 attach", [writer], "error: no device is named nic1\n"),
            ("net nic0 detach", [writer], "ok\n"), ("net nic0 rx-ops=10/5/1000", [], "ok\n"),
        ] as [(String, [BorrowedDescriptor], String)] {
            #expect(try machine.order(line, descriptors) == answer, "\(line)")
        }
        #expect(try machine.order("net nic0 attach", [writer]).hasPrefix("error: network nic0: not a tap: "))
        #expect(machine.end() == nil)
        _ = consume pipe
    }

    private enum NetworkWait {
        static func eventually(_ condition: () -> Bool) -> Bool {
            for _ in 0..<500 {
                if condition() { return true }
                SystemTime.sleep(milliseconds: 10)
            }
            return false
        }
    }
}
