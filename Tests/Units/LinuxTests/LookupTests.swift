// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import Synchronization
import TestSupport
import Testing

@Suite("Linux: path lookup") struct LookupTests {
    /// One openat2(2), as the kernel answers it.
    private func lookedUpOnce(
        _ path: String, at directory: BorrowedDescriptor, _ resolve: ResolveOptions
    ) throws(Errno) -> FileDescriptor {
        var how = open_how()
        how.flags = UInt64(UInt32(bitPattern: OpenOptions.path.rawValue | O_CLOEXEC))
        how.resolve = resolve.rawValue
        return try withPath(path) { (name) throws(Errno) in
            // `how` stays where it is until the call is over.
            let number = try unsafe withUnsafePointer(to: &how) { (how) throws(Errno) in
                try syscall(__NR_openat2, directory.argument, name, unsafe how.argument, MemoryLayout<open_how>.size)
            }
            return FileDescriptor(owning: Int32(number))
        }
    }

    /// Renames anywhere make the kernel give a `..` up that it was to hold below a directory.
    @Test(
        "A confined path lookup succeeds while others rename directories and the kernel gives it up",
        .enabled(if: sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1, "a rename during a lookup takes two processors"),
        arguments: [ResolveOptions.inRoot, .beneath])
    func aLookupIsMadeWhileOthersRename(resolve: ResolveOptions) throws {
        let scratch = Scratch()
        _ = try scratch.directory("root/a/b")
        _ = try scratch.directory("elsewhere/x")
        let elsewhere = try FileDescriptor.open(scratch.path + "/elsewhere", .directory).release()
        let isDone = Atomic(false)
        let renaming = try Thread(named: "renaming") {
            while !isDone.load(ordering: .relaxed) {
                try? Directory.rename("x", to: "y", at: elsewhere)
                try? Directory.rename("y", to: "x", at: elsewhere)
            }
        }
        let root = try FileDescriptor.open(scratch.path + "/root", [.path, .directory])
        var failures: [Errno] = []
        var givenUp = 0
        var count = 0
        let patience = Deadline(after: .seconds(30))
        while count < 5000 || givenUp == 0, !patience.hasPassed {
            count += 1
            let path = "a/b/../../a/b"
            do throws(Errno) {
                _ = try lookedUpOnce(path, at: root.borrowed, resolve)
            } catch {
                if error == .wouldBlock { givenUp += 1 }
            }
            do throws(Errno) {
                _ = try FileDescriptor.open(path, at: root.borrowed, .path, resolve: resolve)
            } catch {
                failures.append(error)
            }
        }
        isDone.store(true, ordering: .relaxed)
        renaming.join()
        _ = FileDescriptor(owning: elsewhere)
        #expect(givenUp > 0)
        #expect(failures == [])
    }
}
