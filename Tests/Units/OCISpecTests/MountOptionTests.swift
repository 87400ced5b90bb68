// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import OCISpec

@Suite("OCISpec: mount options") struct MountOptionReading {
    @Test("The flags of a tmpfs mount are separated from its data")
    func tmpfs() {
        let options = MountOptions(["nosuid", "strictatime", "mode=755", "size=65536k"])
        #expect(options.set == [.noSUID, .strictATime])
        #expect(options.clear == [])
        #expect(options.data == "mode=755,size=65536k")
        #expect(!options.isBind)
    }

    @Test("A recursive bind keeps flags, propagation and recursive attributes apart")
    func recursiveBind() {
        let options = MountOptions(["rbind", "rprivate", "ro", "rnosuid", "rexec"])
        #expect(options.isBind && options.isRecursiveBind)
        #expect(options.set == .readOnly)
        #expect(options.propagation == [MountOptions.Propagation(.private, isRecursive: true)])
        #expect(options.recursiveSet == .noSUID)
        #expect(options.recursiveClear == .noExec)
        #expect(options.data == "")
    }

    @Test("The later of two opposite options holds")
    func theLaterOneWins() {
        #expect(MountOptions(["ro", "rw"]).set == [])
        #expect(MountOptions(["ro", "rw"]).clear == .readOnly)
        #expect(MountOptions(["rw", "ro"]).set == .readOnly)
        #expect(MountOptions(["rw", "ro"]).clear == [])
        #expect(MountOptions(["rro", "rrw"]).recursiveClear == .readOnly)
    }

    @Test("Keywords set their own properties, and unknown options become data")
    func words() {
        let options = MountOptions(["defaults", "", "remount", "tmpcopyup", "idmap", "shared", "slave", "gid=5"])
        #expect(options.isRemount && options.copiesUp && options.isIDMapped)
        #expect(options.propagation.map(\.kind) == [.shared, .slave])
        #expect(options.data == "gid=5")
    }

    /// The table of config.md#linux-mount-options (1.3), but for those that only read well in fstab.
    @Test("Every mount option of the runtime-spec is known, and none becomes data")
    func everyOptionOfTheSpecIsKnown() {
        let spec = """
            async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev nodiratime \
            noexec noiversion nolazytime norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev \
            rdiratime relatime remount rexec rnoatime rnodiratime rnoexec rnorelatime rnostrictatime rnosuid \
            rnosymfollow ro rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw \
            shared silent slave strictatime suid symfollow sync tmpcopyup unbindable idmap ridmap rnodev
            """
        #expect(Set(spec.split(separator: " ").map(String.init)).subtracting(MountOptions.knownNames) == [])
        for name in MountOptions.knownNames { #expect(MountOptions([name]).data == "", "\(name) is data") }
    }

    @Test("The mount types bind and rbind make a bind mount")
    func aTypeThatSaysBind() {
        #expect(Spec.Mount(destination: "/a", type: "bind", source: "/b").parsedOptions.isBind)
        #expect(Spec.Mount(destination: "/a", type: "rbind", source: "/b").parsedOptions.isRecursiveBind)
        #expect(!Spec.Mount(destination: "/a", type: "tmpfs", source: "/b").parsedOptions.isBind)
    }
}
