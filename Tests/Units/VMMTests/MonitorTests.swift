// SPDX-License-Identifier: Apache-2.0
import Glibc
import GuestMemory
import Linux
import Synchronization
import TestSupport
import Testing
import VhostUser
import Virtio
import Vsock
import VsockDriver

@testable import VMM

/// fc-vmm on a thread, the ends of its descriptors that the rest of the sandbox has, and a guest.
private final class Sandbox {
    private let scratch = Scratch()
    var path: String { scratch.path }
    let consoleLog: FileDescriptor
    private let log: FileDescriptor
    var console: FileDescriptor?
    var frontend: FileDescriptor?
    private var thread: Thread?
    private let outcome = Outcome()

    private final class Outcome: Sendable {
        let error = Mutex<VMMError?>(nil)
    }

    init() throws {
        let path = scratch.path
        let vhost = try UnixSocket.pair()
        let pipe = try FileDescriptor.pipe()
        consoleLog = try FileDescriptor.memory(named: "console")
        log = try FileDescriptor.memory(named: "log")
        let words = [
            "devices", "--guest-cid", String(VsockDriver.guestCID),
            "--vsock-vhost-fd", String(try vhost.first.duplicate().release().rawValue),
            "--vsock-listen-fd", String(try UnixSocket.listen(at: path + "/listen").release().rawValue),
            "--vsock-directory", path,
            "--console-fd", String(try pipe.reader.duplicate().release().rawValue),
            "--console-log-fd", String(try consoleLog.duplicate().release().rawValue),
            "--control-fd", String(try UnixSocket.listen(at: path + "/control").release().rawValue),
            "--log-fd", String(log.rawValue),
        ]
        frontend = try vhost.second.duplicate()
        console = try pipe.writer.duplicate()
        let outcome = outcome
        thread = try Thread(named: "fc-vmm") {
            do throws(VMMError) { try Monitor.run(words) } catch { outcome.error.withLock { $0 = error } }
        }
    }

    deinit {
        console = nil
        frontend = nil
        if let thread = thread.take() { thread.join() }
    }

    /// QEMU has gone.
    ///
    /// - Returns: what fc-vmm made of it.
    func end() -> VMMError? {
        frontend = nil
        if let thread = thread.take() { thread.join() }
        return outcome.error.withLock { $0 }
    }

    /// What QEMU does when the guest's driver is ready.
    func start(_ driver: VsockDriver) throws -> Frontend {
        let front = try Frontend(connection: try frontend.take()!.duplicate())
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
        let sandbox = try Sandbox()
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
        #expect(try Sandbox().end() == nil)
    }

    @Test("A front-end that sends nonsense ends the monitor with an error")
    func aFrontEndThatSpeaksNonsense() throws {
        let sandbox = try Sandbox()
        try sandbox.frontend!.writeAll([UInt8](repeating: 0xff, count: 64))
        guard case .device("vsock device", .connection) = sandbox.end() else {
            Issue.record("no vhost-user error")
            return
        }
    }

    @Test("A driver that breaks the vsock device ends the monitor with an error")
    func aDriverThatBreaksTheDevice() throws {
        let sandbox = try Sandbox()
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
    /// fc-vmm with one disk, QEMU's ends of its sockets, and what became of it.
    private final class Machine {
        private let scratch = Scratch()
        private var console: FileDescriptor?
        var vsock: FileDescriptor?
        var disk: FileDescriptor?
        private var thread: Thread?
        private let outcome = Outcome()

        private final class Outcome: Sendable {
            let error = Mutex<VMMError?>(nil)
        }

        init(_ options: String, sectors: Int = 16) throws {
            let path = scratch.path
            let vsock = try UnixSocket.pair()
            let disk = try UnixSocket.pair()
            let pipe = try FileDescriptor.pipe()
            let file = try FileDescriptor.memory(named: "disk")
            try file.writeAll([UInt8](repeating: 7, count: sectors * 512))
            let (image, socket) = (file.release(), try disk.first.duplicate().release())
            let words = [
                "devices", "--guest-cid", "3", "--vsock-vhost-fd",
                String(try vsock.first.duplicate().release().rawValue),
                "--vsock-listen-fd", String(try UnixSocket.listen(at: path + "/listen").release().rawValue),
                "--vsock-directory", path,
                "--console-fd", String(try pipe.reader.duplicate().release().rawValue),
                "--console-log-fd", String(try FileDescriptor.memory(named: "console").release().rawValue),
                "--control-fd", String(try UnixSocket.listen(at: path + "/control").release().rawValue),
                "--log-fd", String(try FileDescriptor.memory(named: "log").release().rawValue),
                "--disk", "fd=\(image.rawValue),id=root-0,vhost-fd=\(socket.rawValue)\(options)",
            ]
            self.vsock = try vsock.second.duplicate()
            self.disk = try disk.second.duplicate()
            console = try pipe.writer.duplicate()
            let outcome = outcome
            thread = try Thread(named: "fc-vmm") {
                do throws(VMMError) { try Monitor.run(words) } catch { outcome.error.withLock { $0 = error } }
            }
        }

        deinit { _ = end() }

        /// Waits for fc-vmm's end, which whoever calls this has brought about, or the vsock's hang-up does.
        func end() -> VMMError? {
            vsock = nil
            if let thread = thread.take() { thread.join() }
            console = nil
            return outcome.error.withLock { $0 }
        }
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
        let vsock = try machine.vsock!.duplicate()
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
