// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import OCISpec
import TestSupport
import Testing

@testable import RuntimeState

@Suite("RuntimeState: records and locks") struct StateRootTests {
    let scratch = Scratch()
    var root: StateRoot { StateRoot(path: scratch.path + "/deep/root") }

    func record(_ id: ContainerID, _ change: (inout ContainerRecord) -> Void = { _ in }) throws -> ContainerRecord {
        let me = try #require(ProcessIdentity(of: getpid()))
        var record = ContainerRecord(
            id: id, ociVersion: "1.3.0", bundle: "/b", rootfs: "/b/rootfs", ownerUID: 1000, engine: "qemu",
            creator: me)
        change(&record)
        return record
    }

    @Test("A written record is read back whole, from files that only the owner reads")
    func keepsARecord() throws {
        let id = try ContainerID("c1")
        let me = try #require(ProcessIdentity(of: getpid()))
        let written = try record(id) { record in
            record.status = .running
            record.process = me
            record.supervisor = me
            record.annotations = ["a/b": "ü\n\"\\", "": ""]
            record.cgroupDirectories = ["/sys/fs/cgroup/memory/x"]
            record.stopReason = "none"
        }
        do {
            let folder = try root.create(id)
            try folder.write(written)
            try folder.write(Array("{}".utf8), to: ContainerDirectory.configName)
            #expect(try folder.read(ContainerDirectory.configName) == Array("{}".utf8))
        }
        #expect(try root.record(of: id) == written)
        #expect(try root.ids() == [id])
        let state = try root.record(of: id).state
        #expect(state.status == .running)
        #expect(state.pid == Int(getpid()))
        #expect(state.rootfs == "/b/rootfs")
        #expect(state.annotations == written.annotations)
        #expect(scratch.mode("deep/root") == 0o700)
        #expect(scratch.mode("deep/root/c1") == 0o700)
        #expect(scratch.mode("deep/root/c1/state.json") == 0o600)
        #expect(scratch.mode("deep/root/c1/config.json") == 0o600)
        #expect(!scratch.exists("deep/root/c1/.state.json.new"))
    }

    @Test("A deleted sandbox leaves its machine to the members, and its id is free again")
    func aMachineIsLeftToOthers() throws {
        let (first, other) = (try ContainerID("c"), try ContainerID("d"))
        let me = try #require(ProcessIdentity(of: getpid()))
        let sandbox = try record(first) { $0.supervisor = me }
        let member = try record(other) {
            $0.sandboxID = "c"
            $0.supervisor = me
        }
        do {
            let folder = try root.create(first)
            try folder.write(sandbox)
            #expect(root.machinePath(of: member) == folder.path)
            if try root.lockLeftMachine(of: member) != nil { Issue.record("left before anybody went") }
            try root.leave(folder, to: me)
        }
        #expect(try root.ids() == [])
        #expect(root.machinePath(of: member) == "\(root.path)/@\(me.pid)-\(me.startTime)")
        #expect(try root.machineRecord(of: member) == sandbox)
        // The id is free, and who has it next has nothing to do with the machine.
        try root.create(first).write(try record(first))
        #expect(try root.machineRecord(of: member) == sandbox)
        #expect(root.machinePath(of: try root.record(of: first)) == root.path + "/c")
        if let left = try root.lockLeftMachine(of: member) { try left.remove() } else { Issue.record("not there") }
        #expect(throws: RuntimeStateError.doesNotExist) { _ = try root.machineRecord(of: member) }
    }

    @Test("A container id can be created only once")
    func anIDIsTakenOnce() throws {
        let id = try ContainerID("c")
        _ = try root.create(id)
        #expect(throws: RuntimeStateError.exists) { _ = try root.create(id) }
    }

    @Test("A container without a directory or a record does not exist")
    func whatIsNotThere() throws {
        let id = try ContainerID("c")
        #expect(throws: RuntimeStateError.doesNotExist) { try root.record(of: id) }
        #expect(throws: RuntimeStateError.doesNotExist) { _ = try root.lock(id) }
        #expect(try root.ids().isEmpty)
        #expect(try root.summaries().isEmpty)
        // A folder whose maker has not written a record yet, or never did.
        _ = try root.create(id)
        #expect(throws: RuntimeStateError.doesNotExist) { try root.record(of: id) }
        #expect(try root.summaries().isEmpty)
    }

    @Test("A lock keeps other lockers out, but not readers, until its holder lets go")
    func theLockIsHeldAndLetGo() throws {
        let id = try ContainerID("c")
        do {
            let held = try root.create(id)
            #expect(throws: RuntimeStateError.busy(id: "c", milliseconds: 30)) {
                _ = try root.lock(id, timeoutMilliseconds: 30)
            }
            try held.write(record(id))
            // Reading waits for nobody.
            #expect(try root.record(of: id).id == "c")
        }
        // A child that another test forks at this moment has a copy of the descriptor until it execs.
        _ = try root.lock(id, timeoutMilliseconds: 5000)
    }

    @Test("A directory opened before its deletion yields no record afterwards")
    func whoeverWaitedSeesTheDeletion() throws {
        let id = try ContainerID("c")
        let folder = try root.create(id)
        try folder.write(record(id))
        // Opened before the deletion, as one who waits for the lock has.
        let late = try FileDescriptor.open("\(root.path)/c", .directory)
        try folder.remove()
        #expect(throws: RuntimeStateError.doesNotExist) {
            _ = try ContainerDirectory.record(id: id, at: late.borrowed, path: "\(root.path)/c")
        }
        // The name is free again, and the old folder is not the new one.
        let new = try root.create(id)
        try new.write(record(id))
        #expect(throws: RuntimeStateError.doesNotExist) {
            _ = try ContainerDirectory.record(id: id, at: late.borrowed, path: "\(root.path)/c")
        }
    }

    @Test("An update changes only the field it sets")
    func updateChangesOneThing() throws {
        let id = try ContainerID("c")
        let folder = try root.create(id)
        try folder.write(record(id))
        var container = try LockedContainer(folder)
        try container.update { $0.stopReason = "fc-vmm ended" }
        #expect(try root.record(of: id).stopReason == "fc-vmm ended")
        #expect(try root.record(of: id).bundle == "/b")
    }

    @Test(
        "A damaged record is reported by path, listed as unreadable, and can be removed",
        arguments: [
            "", "{", "null", "[]", "{}", "{\"format\":\"1\"}", "{\"format\":1}", "\u{FEFF}{}",
            "{\"format\":1,\"id\":7}",
            "[[[[[[[[", "{\"format\":1e99}",
        ])
    func damagedRecordsAreNamed(_ text: String) throws {
        let id = try ContainerID("c")
        _ = try root.create(id)
        try scratch.write(text, to: "deep/root/c/state.json")
        let error = try #require(throws: RuntimeStateError.self) { try root.record(of: id) }
        guard case .corrupt(let path, let reason) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(path == "\(root.path)/c/state.json")
        #expect(!reason.isEmpty && !reason.contains("\n") && reason.utf8.count < 200, "\(reason)")
        guard case .unreadable(id, error)? = try root.summaries().first else {
            Issue.record("not listed")
            return
        }
        // It goes all the same.
        let folder = try root.lock(id)
        #expect(throws: RuntimeStateError.self) { _ = try folder.record() }
        try folder.remove()
        #expect(!scratch.exists("deep/root/c"))
    }

    @Test("A deeply nested record is refused")
    func aDeepRecordIsDamaged() throws {
        let id = try ContainerID("c")
        _ = try root.create(id)
        try scratch.write(String(repeating: "[", count: 100_000), to: "deep/root/c/state.json")
        #expect(throws: RuntimeStateError.self) { try root.record(of: id) }
    }

    @Test("A record of another container or of an unknown format is refused")
    func otherRecordsAreRefused() throws {
        let id = try ContainerID("c")
        let folder = try root.create(id)
        try folder.write(record(id) { $0.id = "d" })
        #expect(
            throws: RuntimeStateError.corrupt(
                path: "\(root.path)/c/state.json", reason: "it is of another container")
        ) { try root.record(of: id) }
        try folder.write(record(id) { $0.format = 2 })
        #expect(throws: RuntimeStateError.unknownFormat(path: "\(root.path)/c/state.json", format: 2)) {
            try root.record(of: id)
        }
    }

    @Test("A record that is too long, or a symlink, is not read")
    func aRecordTooLongOrALinkIsNotRead() throws {
        let id = try ContainerID("c")
        _ = try root.create(id)
        try scratch.write(String(repeating: " ", count: (4 << 20) + 1), to: "deep/root/c/state.json")
        #expect(throws: RuntimeStateError.self) { try root.record(of: id) }
        try Directory.remove("\(root.path)/c/state.json", isDirectory: false)
        #expect(unsafe symlink("/etc/hostname", "\(root.path)/c/state.json") == 0)
        #expect(
            throws: RuntimeStateError.files(.open, path: "\(root.path)/c/state.json", .tooManyLinks)
        ) { try root.record(of: id) }
    }

    @Test("Files, symlinks and directories with other names are not containers")
    func linksAndFilesOfOtherNamesAreNoContainers() throws {
        _ = try root.create(ContainerID("a"))
        try scratch.write("", to: "deep/root/file")
        #expect(unsafe symlink("/", "\(root.path)/link") == 0)
        try Directory.make("\(root.path)/not ours", mode: 0o700)
        #expect(try root.ids() == [ContainerID("a")])
        #expect(throws: RuntimeStateError.self) { _ = try root.lock(ContainerID("link")) }
    }

    @Test("Removing a container follows no symlinks")
    func removingFollowsNoLinks() throws {
        try Directory.make(scratch.path + "/kept", mode: 0o700)
        try scratch.write("x", to: "kept/file")
        let id = try ContainerID("c")
        let folder = try root.create(id)
        try Directory.make("\(root.path)/c/sub", mode: 0o700)
        try scratch.write("x", to: "deep/root/c/sub/file")
        #expect(unsafe symlink(scratch.path + "/kept", "\(root.path)/c/sub/link") == 0)
        try folder.remove()
        #expect(!scratch.exists("deep/root/c"))
        #expect(scratch.exists("kept/file"))
    }

    @Test("Removing a container stops at a mount and names it", .enabled(if: geteuid() == 0, "mounting takes root"))
    func removingStopsAtMounts() throws {
        try Directory.make(scratch.path + "/kept", mode: 0o700)
        try scratch.write("x", to: "kept/file")
        let id = try ContainerID("c")
        let folder = try root.create(id)
        let place = "\(root.path)/c/rootfs"
        try Directory.make(place, mode: 0o700)
        try #require(unsafe mount(scratch.path + "/kept", place, nil, 4096, nil) == 0)
        defer { _ = unsafe umount2(place, 2) }
        do throws(RuntimeStateError) {
            try folder.remove()
            Issue.record("removed")
        } catch {
            #expect(error == .mounted(path: place))
        }
        #expect(scratch.exists("kept/file"))
    }

    @Test("A container whose process or creator has ended counts as stopped")
    func aContainerWhoseProcessEndedHasStopped() throws {
        let child = try Child()
        let id = try ContainerID("c")
        let identity = try #require(ProcessIdentity(of: child.pid))
        let record = try record(id) { record in
            record.status = .running
            record.process = identity
        }
        #expect(record.currentStatus == .running)
        try child.kill()
        try child.reap()
        #expect(record.currentStatus == .stopped)
        #expect(record.state.pid == 0)
        var creating = record
        creating.status = .creating
        #expect(creating.currentStatus == .creating)
        creating.creator = identity
        #expect(creating.currentStatus == .stopped)
    }

    @Test("A container whose supervisor has ended counts as stopped")
    func aContainerWhoseSupervisorEndedHasStopped() throws {
        let child = try Child()
        let me = try #require(ProcessIdentity(of: getpid()))
        let supervisor = try #require(ProcessIdentity(of: child.pid))
        let record = try record(ContainerID("c")) { record in
            record.status = .created
            record.process = me
            record.supervisor = supervisor
        }
        #expect(record.currentStatus == .created)
        try child.kill()
        try child.reap()
        #expect(record.currentStatus == .stopped)
    }

    @Test("Of ten concurrent creations of an id one succeeds")
    func tenAtOnceMakeOne() async throws {
        let root = root
        let id = try ContainerID("c")
        let made = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    guard let folder = try? root.create(id) else { return false }
                    SystemTime.sleep(milliseconds: 20)
                    return folder.id == id
                }
            }
            var count = 0
            for await isMade in group where isMade { count += 1 }
            return count
        }
        #expect(made == 1)
    }
}
