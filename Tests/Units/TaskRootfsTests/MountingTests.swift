// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Overlay
import TestSupport
import Testing

@testable import TaskRootfs

/// Real mounts, in mount namespaces of their own.
@Suite(.enabled(if: isRoot, "mounting takes root"), .timeLimit(.minutes(1))) struct MountingTests {
    let scratch = Scratch()
    let bundle: String

    init() throws {
        bundle = try scratch.directory("bundle")
    }

    /// An overlay with `count` lower directories, each with a file of its number; the first hides nothing.
    func overlay(_ count: Int, name: String = "", options: [String] = []) throws -> RootMount {
        var lower: [String] = []
        for index in 0..<count {
            let place = try scratch.directory("snapshots/\(index)\(name)/fs")
            _ = try scratch.write("\(index)", to: "snapshots/\(index)\(name)/fs/file\(index)")
            lower.append(place)
        }
        let own = [
            "upperdir=" + (try scratch.directory("upper")), "workdir=" + (try scratch.directory("work")),
            "lowerdir=" + lower.joined(separator: ":"),
        ]
        return RootMount(type: "overlay", source: "overlay", options: options + own)
    }

    /// Mounts, looks, unmounts: what `look` said, or the error, and then what mounts are left below the bundle.
    func around(
        _ mounts: [RootMount], _ look: @escaping @Sendable (String) -> String
    ) throws -> (answer: String, left: [String]) {
        let bundle = bundle
        return try privately {
            let answer: String
            do throws(TaskRootfsError) {
                answer = "\(try TaskRootfs.mount(mounts, bundle: bundle)): " + look(bundle + "/rootfs")
                try TaskRootfs.unmount(bundle: bundle)
            } catch {
                return ("\(error)", mountedPlaces(below: bundle))
            }
            return (answer, mountedPlaces(below: bundle))
        }
    }

    @Test("An overlay root shows its layers and takes writes in its upper directory")
    func anOverlayIsWritable() throws {
        let mount = try overlay(2, options: ["index=off", "userxattr"])
        let (answer, left) = try around([mount]) { root in
            let text = (try? FileDescriptor.open(root + "/file0").readAll(limit: 9)) ?? []
            guard (try? FileDescriptor.open(root + "/file1", .path)) != nil else { return "no second layer" }
            guard (try? FileDescriptor.open(root + "/new", [.writeOnly, .create], mode: 0o600)) != nil else {
                return "not writable"
            }
            return String(decoding: text, as: UTF8.self) + " \(mountedPlaces(below: root))"
        }
        #expect(answer == "mounted: 0 [\" overlay\"]")
        #expect(left == [])
        #expect(scratch.exists("upper/new"))
        #expect(!scratch.exists("bundle/rootfs/new"))
    }

    @Test("A read-only overlay root refuses writes")
    func aReadOnlyOverlayIsNot() throws {
        let mount = try overlay(2, options: ["ro"])
        let (answer, left) = try around([mount]) { root in
            do throws(Errno) {
                _ = try FileDescriptor.open(root + "/new", [.writeOnly, .create], mode: 0o600)
                return "writable"
            } catch {
                return "\(error)"
            }
        }
        #expect(answer == "mounted: read-only file system")
        #expect(left == [])
    }

    /// Six pages of options, and paths longer than fsconfig(2) takes.
    @Test(
        "An overlay with many or long layer paths is mounted",
        arguments: [(300, ""), (3, String(repeating: "long", count: 60))])
    func manyLongLayers(_ count: Int, _ name: String) throws {
        let mount = try overlay(count, name: name)
        let (answer, left) = try around([mount]) { root in
            let found = (0..<count).filter { (try? FileDescriptor.open(root + "/file\($0)", .path)) != nil }
            return "\(found.count)"
        }
        #expect(answer == "mounted: \(count)")
        #expect(left == [])
    }

    /// As for kernels that take the layers in one list.
    @Test("An overlay is mounted with all layers in one option string")
    func anOverlayAtOnce() throws {
        let mount = try overlay(60, options: ["index=off", "nosuid", "rslave"])
        let bundle = bundle
        let root = try scratch.directory("bundle/rootfs")
        let before = try Process.currentDirectory()
        let (answer, left) = try privately { () -> (String, [String]) in
            do throws(TaskRootfsError) {
                let words = try MountWords(mount)
                let overlay = Overlay(mount, words, options: try TaskRootfs.overlayOptions(mount, words))
                guard let target = try? FileDescriptor.open(root, [.path, .directory]) else { return ("no target", []) }
                try overlay.makeAtOnce(on: target)
                let found = (0..<60).filter { (try? FileDescriptor.open(root + "/file\($0)", .path)) != nil }
                let mounted = mountedPlaces(below: bundle)
                try TaskRootfs.unmount(bundle: bundle)
                return ("\(found.count) \((try? Process.currentDirectory()) == before)", mounted)
            } catch {
                return ("\(error)", [])
            }
        }
        #expect(answer == "60 true")
        #expect(left == ["/rootfs overlay"])
    }

    @Test("A bind root is read-only only where asked")
    func aBindIsReadOnlyWhenAsked() throws {
        let source = try scratch.directory("native")
        _ = try scratch.write("x", to: "native/file")
        let look: @Sendable (String) -> String = { root in
            let names = names(in: root)
            do throws(Errno) {
                _ = try FileDescriptor.open(root + "/file", .writeOnly)
                return "\(names) writable"
            } catch {
                return "\(names) \(error)"
            }
        }
        var mount = RootMount(type: "bind", source: source, options: ["rbind", "ro"])
        #expect(try around([mount], look) == ("mounted: [\"file\"] read-only file system", []))
        mount.options = ["rbind", "rw"]
        #expect(try around([mount], look) == ("mounted: [\"file\"] writable", []))
    }

    @Test("Mount targets resolve inside the root, even through links")
    func targetsLieInTheRoot() throws {
        var overlay = try overlay(2)
        _ = try scratch.directory("snapshots/0/fs/a/b")
        _ = try scratch.directory("snapshots/0/fs/tmp")
        // From the root of the container, this is its own /tmp.
        _ = try scratch.link("snapshots/0/fs/out", to: "/../../tmp")
        overlay.target = "/"
        let list = [
            overlay, RootMount(type: "tmpfs", source: "tmpfs", target: "/a/b", options: ["mode=0700", "nodev"]),
            RootMount(type: "tmpfs", source: "tmpfs", target: "out"),
        ]
        let (answer, left) = try around(list) { "\(mountedPlaces(below: $0))" }
        #expect(answer == "mounted: [\" overlay\", \"/a/b tmpfs\", \"/tmp tmpfs\"]")
        #expect(left == [])
    }

    @Test("Later mounts lie on top of earlier ones")
    func laterMountsLieOnTop() throws {
        let source = try scratch.directory("native")
        _ = try scratch.write("x", to: "native/top")
        let list = [
            try overlay(1), RootMount(type: "tmpfs", source: "tmpfs"),
            RootMount(type: "bind", source: source, options: ["bind"]),
        ]
        let (answer, left) = try around(list) { root in
            "\((try? FileDescriptor.open(root + "/top", .path)) != nil) \(mountedPlaces(below: root).count)"
        }
        #expect(answer == "mounted: true 3")
        #expect(left == [])
    }

    static let wrong: [(RootMount, String)] = [
        (RootMount(type: "tmpfs", source: "t", target: "/no/such"), "rootfs: mount target \"/no/such\": no such file"),
        (RootMount(type: "tmpfs", source: "t", options: ["size=lots"]), "rootfs: mount option \"size=lots\""),
        (RootMount(type: "tmpfs", source: "t", options: ["nonsense"]), "rootfs: mount option \"nonsense\""),
        (RootMount(type: "bind", source: "/no/such", options: ["rbind"]), "rootfs: mount source \"/no/such\": no such"),
        (
            RootMount(type: "bind", source: "/dev/null", options: ["bind"]),
            "rootfs: mount \"/dev/null\" of type \"bind\""
        ),
        (RootMount(type: "zfs", source: "no/such"), "rootfs: mount \"no/such\" of type \"zfs\" on \"/\": "),
        (
            RootMount(type: "overlay", source: "o", options: ["lowerdir=/no/such"]),
            "rootfs: mount option lowerdir: \"/no/such\": no such file or directory"
        ),
        (
            RootMount(type: "overlay", source: "o", options: ["lowerdir=/dev:/proc", "sideways=1"]),
            "rootfs: mount option \"sideways=1\" for type \"overlay\": invalid argument (overlay: Unknown parameter"
        ),
        (
            RootMount(type: "overlay", source: "o", options: ["lowerdir=/dev/null"]),
            "rootfs: mount option lowerdir: \"/dev/null\": not a directory"
        ),
    ]

    /// What is wrong with the second is named, and the first does not stay.
    @Test("A mount that fails is named, and the earlier ones are undone", arguments: wrong)
    func allOrNothing(_ second: RootMount, _ text: String) throws {
        let (answer, left) = try around([try overlay(2), second]) { _ in "mounted" }
        #expect(answer.hasPrefix(text), "\(answer)")
        #expect(left == [])
    }

    @Test("A missing bundle and a rootfs that is a link are refused")
    func noBundleAndARootThatIsALink() throws {
        let mount = RootMount(type: "tmpfs", source: "tmpfs")
        #expect(throws: TaskRootfsError.bundle(path: "/no/such", .noSuchFile)) {
            try TaskRootfs.mount([mount], bundle: "/no/such")
        }
        let outside = try scratch.directory("outside")
        _ = try scratch.link("bundle/rootfs", to: outside)
        #expect(throws: TaskRootfsError.rootfs(path: bundle + "/rootfs", .tooManyLinks)) {
            try TaskRootfs.mount([mount], bundle: bundle)
        }
        #expect(try TaskRootfs.mount([], bundle: bundle) == .bundle)
    }

    @Test("Unmounting removes every mount of the bundle, busy ones too, and can be repeated")
    func whateverIsThereIsUnmounted() throws {
        let (bundle, root) = (bundle, try scratch.directory("bundle/rootfs"))
        let list = [try overlay(1), RootMount(type: "tmpfs", source: "tmpfs"), RootMount(type: "tmpfs", source: "t")]
        let left = try privately { () -> [String] in
            guard (try? TaskRootfs.mount(list, bundle: bundle)) != nil else { return ["not mounted"] }
            // Somebody else's, somebody in it, and a file that is open.
            for name in ["/a", "/a/b"] { try? Directory.make(root + name) }
            for name in ["/a", "/a"] {
                _ = try? tmpfs(on: root + name)
            }
            let file = try? FileDescriptor.open(root + "/a/open", [.writeOnly, .create], mode: 0o600).release()
            try? Process.changeDirectory(to: root + "/a")
            var left = ["\(mountedPlaces(below: bundle).count)"]
            do throws(TaskRootfsError) {
                try TaskRootfs.unmount(bundle: bundle)
                // And again.
                try TaskRootfs.unmount(bundle: bundle)
            } catch {
                left.append("\(error)")
            }
            if let file { _ = FileDescriptor(owning: file) }
            left.append("\(file != nil)")
            return left + mountedPlaces(below: bundle)
        }
        #expect(left == ["5", "true"])
    }

    @Test("Unmounting follows no link out of the bundle")
    func nothingOutsideIsUnmounted() throws {
        let outside = try scratch.directory("outside")
        _ = try scratch.link("bundle/rootfs", to: outside)
        let (bundle, place) = (bundle, scratch.path)
        let left = try privately { () -> [String] in
            guard (try? tmpfs(on: outside)) != nil else { return ["not mounted"] }
            try? TaskRootfs.unmount(bundle: bundle)
            return mountedPlaces(below: place)
        }
        #expect(left == ["/outside tmpfs"])
    }

    @Test("Unmounting succeeds where nothing is mounted")
    func whereNothingIs() throws {
        try TaskRootfs.unmount(bundle: "/no/such")
        try TaskRootfs.unmount(bundle: bundle)
        _ = try scratch.write("", to: "bundle/rootfs")
        try TaskRootfs.unmount(bundle: bundle)
    }
}
