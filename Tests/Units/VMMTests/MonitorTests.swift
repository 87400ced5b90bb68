// SPDX-License-Identifier: Apache-2.0
import Glibc
import GuestMemory
import Linux
import TestSupport
import Testing
import VhostUser
import Virtio
import Vsock
import VsockDriver

@testable import VMM

extension MonitorThread {
    /// What QEMU does when the guest's driver is ready.
    func start(_ driver: VsockDriver) throws -> Frontend {
        let front = try Frontend(connection: try vsock.take()!.duplicate())
        #expect(try front.configuration(byteCount: 8) == [42, 0, 0, 0, 0, 0, 0, 0])
        #expect(front.offeredFeatures & 1 == 1)
        _ = try front.negotiate(VirtioFeature.version1 | 1)
        try front.setMemory([driver.piece])
        for (index, queue) in [driver.receiveQueue, driver.transmitQueue].enumerated() {
            try front.startRing(index, queue.layout, kick: queue.kick, call: queue.call)
            try front.enableRing(index)
        }
        return front
    }

    func consoleText() throws -> String {
        let file = try FileDescriptor.open(consoleLog.borrowed.path)
        return String(decoding: try file.readAll(limit: 1 << 20), as: UTF8.self)
    }
}

@Suite("fc-vmm, with a front-end in QEMU's place", .serialized)
struct MonitorTests {
    @Test("A monitor carries connections and the console, and ends with its front-end")
    func aWholeLife() throws {
        let sandbox = try MonitorThread(guestCID: VsockDriver.guestCID)
        let guest = GuestSockets(driver: try VsockDriver())
        var front: Frontend? = try sandbox.start(guest.driver)
        let peer = try UnixSocket.connect(to: sandbox.path + "/listen")
        try peer.writeAll(Array("CONNECT 1024\nhello".utf8))
        var accepted: GuestSocket?
        guest.onAccept = { accepted = $0 }
        #expect(try guest.run { accepted?.received.count == 5 })
        _ = try accepted?.write(Array("answer".utf8)[...])
        try guest.process(milliseconds: 100)
        var answer: [UInt8] = []
        while answer.count < 20 { answer += try peer.read(upTo: 100) }
        #expect(String(decoding: answer, as: UTF8.self) == "OK 1073741824\nanswer")
        try sandbox.console!.writeAll(Array("Linux says good-bye\n".utf8))
        _ = front?.offeredFeatures
        front = nil
        #expect(sandbox.end() == nil)
        #expect(try sandbox.consoleText() == "Linux says good-bye\n")
        #expect(try peer.read(upTo: 10).isEmpty, "connections end with the machine")
    }

    @Test("A front-end that leaves without a word is not an error")
    func aFrontEndThatNeverSpeaks() throws {
        #expect(try MonitorThread(guestCID: VsockDriver.guestCID).end() == nil)
    }

    @Test("A front-end that sends nonsense ends the monitor with an error")
    func aFrontEndThatSpeaksNonsense() throws {
        let sandbox = try MonitorThread(guestCID: VsockDriver.guestCID)
        try sandbox.vsock!.writeAll([UInt8](repeating: 0xff, count: 64))
        guard case .device("vsock device", .connection) = sandbox.end() else {
            Issue.record("no vhost-user error")
            return
        }
    }

    @Test("A driver that breaks the vsock device ends the monitor with an error")
    func aDriverThatBreaksTheDevice() throws {
        let sandbox = try MonitorThread(guestCID: VsockDriver.guestCID)
        let guest = GuestSockets(driver: try VsockDriver())
        let front = try sandbox.start(guest.driver)
        try guest.driver.transmitQueue.describe(0, address: .max - 3, byteCount: 44, flags: 0)
        try guest.driver.transmitQueue.offer(0)
        guest.driver.transmitQueue.kick.signal()
        // It ends by itself, with the front-end still there.
        guard case .device("vsock device", .broken(.buffer(head: 0, _))) = sandbox.end() else {
            Issue.record("no vsock error")
            return
        }
        _ = front.offeredFeatures
    }
}

/// The same with a disk.
@Suite("fc-vmm's disks for a machine of QEMU's", .serialized)
struct MonitorDiskTests {
    /// fc-vmm with one disk, and QEMU's end of its socket.
    private final class Machine {
        let monitor: MonitorThread
        var disk: FileDescriptor?

        init(_ options: String, sectors: Int = 16) throws {
            let disk = try UnixSocket.pair()
            let file = try FileDescriptor.memory(named: "disk")
            try file.writeAll([UInt8](repeating: 7, count: sectors * 512))
            let (image, socket) = (MonitorThread.number(file), MonitorThread.number(try disk.first.duplicate()))
            self.disk = try disk.second.duplicate()
            monitor = try MonitorThread(["--disk", "fd=\(image),id=root-0,vhost-fd=\(socket)\(options)"])
        }

        func end() -> VMMError? { monitor.end() }
    }

    @Test("A disk's session has the disk's size and features", arguments: [true, false])
    func itsConfigurationAndFeaturesAreTheDisks(isReadOnly: Bool) throws {
        let machine = try Machine(isReadOnly ? ",readonly" : "")
        let front = try Frontend(connection: try machine.disk.take()!.duplicate())
        #expect(try front.configuration(byteCount: 8) == [16, 0, 0, 0, 0, 0, 0, 0])
        // As much as QEMU asks for.
        #expect(try front.configuration(byteCount: 60)?.count == 60)
        // VIRTIO_BLK_F_RO, virtio 1.2 §5.2.3.
        #expect((front.offeredFeatures >> 5 & 1 == 1) == isReadOnly)
        #expect(try front.queueCount() == 1)
        // The machine's end is the vsock's; the disk's session ends with it.
        #expect(machine.end() == nil)
    }

    @Test("Nonsense on a disk's socket ends the monitor and hangs up on the vsock")
    func nonsenseOnItsSocketEndsTheMachine() throws {
        let machine = try Machine("")
        try machine.disk!.writeAll([UInt8](repeating: 0xff, count: 64))
        let vsock = try machine.monitor.vsock!.duplicate()
        guard case .device("disk root-0", .connection) = machine.end() else {
            Issue.record("no error of the disk's")
            return
        }
        #expect(try vsock.read(upTo: 1).isEmpty, "the vsock was hung up on")
    }

    @Test("An empty disk is refused by its id")
    func whatIsNoDiskIsNamed() throws {
        guard case .device("disk root-0", .disk(.empty(byteCount: 0))) = try Machine("", sectors: 0).end() else {
            Issue.record("no error of the disk's")
            return
        }
    }
}
