// SPDX-License-Identifier: Apache-2.0
import Linux
import TestSupport
import SandboxPlan
import Testing

@testable import TaskRootfs

@Suite("TaskRootfs: mount lists") struct MountListTests {
    let scratch = Scratch()

    func error(_ mounts: RootMount...) -> TaskRootfsError? {
        do throws(TaskRootfsError) {
            _ = try TaskRootfs.classify(mounts)
            return nil
        } catch {
            return error
        }
    }

    @Test("A single mount of a disk image becomes a disk root, and nothing is mounted")
    func anImageIsADisk() throws {
        let image = try scratch.write("x", to: "image")
        let mount = RootMount(type: "ext4", source: image, options: ["loop", "ro", "noatime", "data=ordered"])
        let disk = RootDisk(path: image, type: "ext4", options: ["noatime", "data=ordered"], isReadOnly: true)
        #expect(try TaskRootfs.classify([mount]) == disk)
        // Nothing is mounted, and no bundle is needed.
        #expect(try TaskRootfs.mount([mount], bundle: "/no/such") == .disk(disk))
        for type in ["erofs", "xfs", "squashfs"] {
            let root = try TaskRootfs.classify([RootMount(type: type, source: image, target: "/", options: ["rw"])])
            #expect(root?.type == type)
            #expect(root?.isReadOnly == false)
        }
        // As the mapper's devices are.
        let link = try scratch.link("link", to: image)
        #expect(try TaskRootfs.classify([RootMount(type: "ext4", source: link)])?.path == link)
    }

    @Test("A disk mount of anything but a lone image at the root is refused")
    func whatIsNoDisk() throws {
        let directory = try scratch.directory("directory")
        #expect(
            error(RootMount(type: "ext4", source: directory)) == .notADisk(path: directory, found: "a directory"))
        #expect(
            error(RootMount(type: "ext4", source: "/dev/null")) == .notADisk(path: "/dev/null", found: "a special file")
        )
        #expect(error(RootMount(type: "xfs", source: "/no/such")) == .disk(path: "/no/such", .noSuchFile))
        #expect(error(RootMount(type: "xfs", source: "image")) == .relativePath(what: "disk", "image"))
        let image = try scratch.write("x", to: "image")
        let disk = RootMount(type: "erofs", source: image)
        #expect(error(disk, disk) == .diskAmongOthers(type: "erofs", mountCount: 2))
        #expect(
            error(RootMount(type: "erofs", source: image, target: "/data"))
                == .diskWithTarget(type: "erofs", target: "/data"))
    }

    @Test("Bind and overlay mounts are not disk roots")
    func whatHostsMountIsNoDisk() throws {
        #expect(try TaskRootfs.classify([]) == nil)
        #expect(try TaskRootfs.classify([RootMount(type: "bind", source: "/x", options: ["rbind", "ro"])]) == nil)
        let overlay = RootMount(type: "overlay", source: "overlay", options: ["lowerdir=/a"])
        #expect(try TaskRootfs.classify([overlay]) == nil)
    }

    @Test("Unsupported mount types, options, id mappings and targets are refused")
    func whatIsRefused() {
        #expect(error(RootMount(type: "nfs", source: "x")) == .unsupportedType("nfs"))
        #expect(error(RootMount(type: "", source: "x")) == .unsupportedType(""))
        #expect(error(RootMount(type: "fuse3.fuse-overlayfs", source: "x")) == .unsupportedType("fuse3.fuse-overlayfs"))
        #expect(error(RootMount(type: "format/overlay", source: "x")) == .unsupportedType("format/overlay"))
        let bind = RootMount(type: "bind", source: "/x", options: ["rbind", "size=1"])
        #expect(error(bind) == .unsupportedOption("size=1", type: "bind"))
        #expect(error(RootMount(type: "bind", source: "x")) == .relativePath(what: "mount source", "x"))
        #expect(
            error(RootMount(type: "bind", source: "/x", options: ["loop"])) == .unsupportedOption("loop", type: "bind"))
        #expect(error(RootMount(type: "tmpfs", source: "", options: ["remount"])) == .remount(type: "tmpfs"))
        for option in ["uidmap=0:1:2", "gidmap=0:1:2", "idmap"] {
            let overlay = RootMount(type: "overlay", source: "overlay", options: [option, "lowerdir=/a"])
            #expect(error(overlay) == .idMapping(option))
        }
        for target in ["..", "/a/../b", "a\0b"] {
            #expect(error(RootMount(type: "tmpfs", source: "", target: target)) == .target(target))
        }
    }

    @Test("An overlay mount without its absolute directories is refused")
    func overlaysNeedTheirDirectories() {
        func error(_ options: String...) -> TaskRootfsError? {
            self.error(RootMount(type: "overlay", source: "overlay", options: options))
        }
        #expect(error("index=off") == .optionMissing("lowerdir", type: "overlay"))
        #expect(error("lowerdir=") == .optionMissing("lowerdir", type: "overlay"))
        #expect(error("lowerdir=/a", "upperdir=/b") == .optionMissing("workdir", type: "overlay"))
        #expect(error("lowerdir=/a:b") == .relativePath(what: "mount option lowerdir:", "b"))
    }

    @Test("The numbers of mounts and options and the length of a source are bounded")
    func itIsBounded() {
        let mount = RootMount(type: "tmpfs", source: "")
        #expect(throws: TaskRootfsError.tooManyMounts(65, limit: 64)) {
            try TaskRootfs.classify(Array(repeating: mount, count: 65))
        }
        let options = Array(repeating: "ro", count: 257)
        #expect(
            error(RootMount(type: "tmpfs", source: "", options: options))
                == .tooManyOptions(type: "tmpfs", 257, limit: 256))
        let long = "/" + String(repeating: "a", count: 5000)
        #expect(
            error(RootMount(type: "tmpfs", source: long))
                == .tooLong(what: "mount source", byteCount: 5001, limit: 4095))
    }

    static let parents: [([String], String)] = [
        (["/a/b/1/fs", "/a/b/2/fs", "/a/b/12/fs"], "/a/b/"), (["/a/b", "/a/b"], "/a/"), (["/x", "/y"], "/"),
        (["/a/b/c"], "/a/b/"), (["/ab/c", "/a/c"], "/"),
    ]

    @Test("The common parent of paths ends at a directory boundary", arguments: parents)
    func commonParents(_ paths: [String], _ parent: String) {
        #expect(Overlay.commonParent(paths) == parent)
    }

    @Test("Mount options are split into attributes, superblock flags, propagation and the rest")
    func wordsOfMounts() throws {
        let words = try MountWords(
            RootMount(
                type: "overlay", source: "",
                options: [
                    "ro", "nosuid", "rw", "noexec", "exec", "strictatime", "noatime", "rslave", "sync", "index=off",
                ]))
        #expect(words.attributes == [.noSetUID, .noAccessTime])
        #expect(words.superblock == ["sync"])
        #expect(words.rest == ["index=off"])
        #expect(words.propagation?.kind == .slave)
        #expect(words.propagation?.isRecursive == true)
    }
}
