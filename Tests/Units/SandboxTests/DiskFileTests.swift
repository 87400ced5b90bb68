// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Planning
import SandboxPlan
import Testing

@testable import Sandbox

/// A path of the test's own, gone with it.
private final class Scratch {
    let path = "/tmp/fc-disk-file-\(UInt64.random(in: 0 ... .max))"
    deinit { unsafe unlink(path) }

    func write(_ byteCount: Int) throws {
        try FileDescriptor.open(path, [.create, .writeOnly], mode: 0o600)
            .writeAll([UInt8](repeating: 0, count: byteCount))
    }
}

@Suite("Sandbox: disk files") struct DiskFileTests {
    private func open(_ path: String, isReadOnly: Bool) throws(RuntimeError) -> DiskFiles {
        var files = DiskFiles()
        try files.add(path, serial: "root-0", isReadOnly: isReadOnly)
        return files
    }

    @Test("A disk file is opened read-only or read-write as it is asked for")
    func aFileIsOpenedForWhatItIsFor() throws {
        let scratch = Scratch()
        try scratch.write(4096)
        for isReadOnly in [true, false] {
            let files = try open(scratch.path, isReadOnly: isReadOnly)
            let plan = try #require(files.plans.first)
            #expect(plan.serial == "root-0" && plan.isReadOnly == isReadOnly)
            let flags = fcntl(plan.descriptor, F_GETFL)
            #expect(flags & O_ACCMODE == (isReadOnly ? O_RDONLY : O_RDWR))
        }
    }

    @Test("A writable disk is held alone, and read-only disks are shared")
    func oneThatWritesIsAlone() throws {
        let scratch = Scratch()
        try scratch.write(4096)
        let path = scratch.path
        do {
            let writer = try open(path, isReadOnly: false)
            #expect(throws: RuntimeError.self) { _ = try open(path, isReadOnly: false) }
            do throws(RuntimeError) {
                _ = try open(path, isReadOnly: true)
                Issue.record("read while it is written")
            } catch {
                #expect("\(error)" == "disk \(path): in use by another virtual machine, or mounted")
            }
            _ = writer.plans
        }
        // Readers are as many as like.
        let first = try open(path, isReadOnly: true)
        let second = try open(path, isReadOnly: true)
        #expect(throws: RuntimeError.self) { _ = try open(path, isReadOnly: false) }
        _ = (first.plans, second.plans)
    }

    @Test("The wait for a disk's release ends once its holder lets go")
    func oneThatIsHeldIsWaitedFor() throws {
        let scratch = Scratch()
        try scratch.write(4096)
        let held = try FileDescriptor.open(scratch.path, .readWrite)
        #expect(try held.tryLock(isShared: false))
        let started = ContinuousClock.now
        let number = held.release()
        let thread = try Thread(named: "holder") {
            SystemTime.sleep(milliseconds: 100)
            _ = FileDescriptor(owning: number)
        }
        DiskFiles.awaitRelease([scratch.path, "/nonexistent"])
        let waited = started.duration(to: .now)
        #expect(waited >= .milliseconds(90) && waited < .seconds(3), "\(waited)")
        thread.join()
    }

    @Test("A path that is not a disk is refused with its reason, and a FIFO does not block")
    func whatIsNoDiskIsNotOpened() throws {
        for (path, word) in [
            ("/tmp", "block device required"), ("/dev/null", "block device required"),
            ("/nowhere/image", "no such file or directory"),
        ] {
            do throws(RuntimeError) {
                _ = try open(path, isReadOnly: true)
                Issue.record("\(path) taken for a disk")
            } catch {
                #expect("\(error)" == "disk \(path): \(word)")
            }
        }
        // Opened, a fifo would wait for its other end.
        let scratch = Scratch()
        unsafe #expect(mkfifo(scratch.path, 0o600) == 0)
        #expect(throws: RuntimeError.self) { _ = try open(scratch.path, isReadOnly: true) }
    }
}
