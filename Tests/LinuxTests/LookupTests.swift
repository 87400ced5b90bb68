import Linux
import Synchronization
import TestSupport
import Testing

@Suite struct LookupTests {
    /// Renames anywhere make the kernel give a `..` up that it was to hold below a directory.
    @Test(arguments: [ResolveOptions.inRoot, .beneath])
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
        for _ in 0..<5000 {
            do throws(Errno) {
                _ = try FileDescriptor.open("a/b/../../a/b", at: root.rawValue, .path, resolve: resolve)
            } catch {
                failures.append(error)
            }
        }
        isDone.store(true, ordering: .relaxed)
        renaming.join()
        _ = FileDescriptor(owning: elsewhere)
        #expect(failures == [])
    }
}
