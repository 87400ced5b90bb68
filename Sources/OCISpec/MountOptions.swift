// SPDX-License-Identifier: Apache-2.0
/// What the options of a mount mean (config.md#mounts, the table "Linux mount options").
///
/// Options are taken in order, a later one undoing an earlier one that it contradicts. What is no option of mount(2)
/// is data for the filesystem.
public struct MountOptions: Equatable, Sendable {
    /// Set, of mount(2)'s flags.
    public var set: Flags = []
    /// Asked to be clear: a bind mount would otherwise keep them from its source.
    public var clear: Flags = []
    /// In the order written, to be applied one by one after the mount.
    public var propagation: [Propagation] = []
    /// Set and cleared on the mount and all below it, by mount_setattr(2).
    public var recursiveSet: Flags = []
    /// Cleared on the mount and all below it, by mount_setattr(2).
    public var recursiveClear: Flags = []
    /// A bind mount, alone or with what is mounted below its source.
    public var isBind = false
    /// A bind mount together with the mounts below its source (`rbind`).
    public var isRecursiveBind = false
    /// Changes a mount that is there already (`remount`).
    public var isRemount = false
    /// A tmpfs that starts as a copy of what it covers.
    public var copiesUp = false
    /// Ids mapped as the container's user namespace does.
    public var isIDMapped = false
    /// The rest, as written, one each.
    public var words: [String] = []
    /// The same, joined by commas: `mode=755,size=65536k`.
    public var data: String { words.joined(separator: ",") }

    /// Names for mount(2)'s flags; the numbers are not the kernel's.
    public struct Flags: OptionSet, Equatable, Sendable {
        /// One bit a flag, in an order of our own.
        public let rawValue: UInt32

        /// A set of the flags whose bits are in `rawValue`.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// `ro`: nothing below can be written (MS_RDONLY).
        public static let readOnly = Flags(rawValue: 1 << 0)
        /// `nosuid`: set-id bits and file capabilities have no effect (MS_NOSUID).
        public static let noSUID = Flags(rawValue: 1 << 1)
        /// `nodev`: device nodes cannot be opened (MS_NODEV).
        public static let noDev = Flags(rawValue: 1 << 2)
        /// `noexec`: no program below can be executed (MS_NOEXEC).
        public static let noExec = Flags(rawValue: 1 << 3)
        /// `sync`: a write returns when its data is on the disk (MS_SYNCHRONOUS).
        public static let synchronous = Flags(rawValue: 1 << 4)
        /// `dirsync`: so does a change of a directory (MS_DIRSYNC).
        public static let directorySync = Flags(rawValue: 1 << 5)
        /// `mand`: mandatory locks, which Linux 5.15 dropped (MS_MANDLOCK).
        public static let mandatoryLocks = Flags(rawValue: 1 << 6)
        /// `noatime`: access times are not updated (MS_NOATIME).
        public static let noATime = Flags(rawValue: 1 << 7)
        /// `nodiratime`: those of directories are not updated (MS_NODIRATIME).
        public static let noDirATime = Flags(rawValue: 1 << 8)
        /// `relatime`: access times are updated when older than the modification, or than a day (MS_RELATIME).
        public static let relATime = Flags(rawValue: 1 << 9)
        /// `strictatime`: access times are updated at each access (MS_STRICTATIME).
        public static let strictATime = Flags(rawValue: 1 << 10)
        /// `lazytime`: times are kept in memory and written later (MS_LAZYTIME).
        public static let lazyTime = Flags(rawValue: 1 << 11)
        /// `iversion`: each change of an inode raises its version (MS_I_VERSION).
        public static let iVersion = Flags(rawValue: 1 << 12)
        /// `silent`: the kernel logs less about the mount (MS_SILENT).
        public static let silent = Flags(rawValue: 1 << 13)
        /// `nosymfollow`: symbolic links below are not followed (MS_NOSYMFOLLOW).
        public static let noSymFollow = Flags(rawValue: 1 << 14)

        /// When access times are kept: never, as relatime has it, which is the default, or always.
        public static let accessTimes: Flags = [.noATime, .relATime, .strictATime]
    }

    /// How mounts and unmounts spread between copies of the mount (mount_namespaces(7)).
    public struct Propagation: Equatable, Sendable {
        /// The four propagation types of mount_namespaces(7).
        public enum Kind: Sendable { case `private`, shared, slave, unbindable }

        /// The propagation type to set.
        public let kind: Kind
        /// Whether the mounts below are set as well (`rprivate`, `rslave`, ...).
        public let isRecursive: Bool

        /// The propagation `kind`, of one mount or of all below it.
        public init(_ kind: Kind, isRecursive: Bool) {
            self.kind = kind
            self.isRecursive = isRecursive
        }

        /// `private`, `rslave` and so on; nil for any other word.
        public init?(option: String) {
            guard let known = MountOptions.propagations[option] else { return nil }
            self = known
        }
    }

    /// Reads a mount's `options`. Nothing is refused here: an unknown word is the filesystem's.
    public init(_ options: [String]) {
        for option in options {
            if let (flag, isClear) = Self.flags[option] {
                Self.apply(flag, isClear, &set, &clear)
            } else if let (flag, isClear) = Self.recursiveFlags[option] {
                Self.apply(flag, isClear, &recursiveSet, &recursiveClear)
            } else if let kind = Self.propagations[option] {
                propagation.append(kind)
            } else {
                switch option {
                case "defaults", "": break
                case "bind": isBind = true
                case "rbind": (isBind, isRecursiveBind) = (true, true)
                case "remount": isRemount = true
                case "tmpcopyup": copiesUp = true
                case "idmap", "ridmap": isIDMapped = true
                default: words.append(option)
                }
            }
        }
    }

    private static func apply(_ flag: Flags, _ isClear: Bool, _ set: inout Flags, _ clear: inout Flags) {
        if isClear {
            set.subtract(flag)
            clear.formUnion(flag)
        } else {
            // Access times are kept in one of three ways.
            if Flags.accessTimes.contains(flag) { set.subtract(.accessTimes) }
            clear.subtract(flag)
            set.formUnion(flag)
        }
    }

    /// Every word that is not data, sorted: `mountOptions` of the features document.
    public static let knownNames: [String] =
        (Array(flags.keys) + Array(recursiveFlags.keys) + Array(propagations.keys)
        + ["bind", "defaults", "idmap", "rbind", "remount", "ridmap", "tmpcopyup"]).sorted()
}

extension Spec.Mount {
    /// What `options` mean. The types `bind` and `rbind` are taken as the options, as some engines leave them out.
    public var parsedOptions: MountOptions {
        var parsed = MountOptions(options)
        if type == "bind" || type == "rbind" { parsed.isBind = true }
        if type == "rbind" { parsed.isRecursiveBind = true }
        return parsed
    }
}

extension MountOptions {
    private static let flags: [String: (Flags, isClear: Bool)] = [
        "async": (.synchronous, true),
        "atime": (.noATime, true),
        "dev": (.noDev, true),
        "diratime": (.noDirATime, true),
        "dirsync": (.directorySync, false),
        "exec": (.noExec, true),
        "iversion": (.iVersion, false),
        "lazytime": (.lazyTime, false),
        "loud": (.silent, true),
        "mand": (.mandatoryLocks, false),
        "noatime": (.noATime, false),
        "nodev": (.noDev, false),
        "nodiratime": (.noDirATime, false),
        "noexec": (.noExec, false),
        "noiversion": (.iVersion, true),
        "nolazytime": (.lazyTime, true),
        "nomand": (.mandatoryLocks, true),
        "norelatime": (.relATime, true),
        "nostrictatime": (.strictATime, true),
        "nosuid": (.noSUID, false),
        "nosymfollow": (.noSymFollow, false),
        "relatime": (.relATime, false),
        "ro": (.readOnly, false),
        "rw": (.readOnly, true),
        "silent": (.silent, false),
        "strictatime": (.strictATime, false),
        "suid": (.noSUID, true),
        "symfollow": (.noSymFollow, true),
        "sync": (.synchronous, false),
    ]

    private static let recursiveFlags: [String: (Flags, isClear: Bool)] = [
        "ratime": (.noATime, true),
        "rdev": (.noDev, true),
        "rdiratime": (.noDirATime, true),
        "rexec": (.noExec, true),
        "rnoatime": (.noATime, false),
        "rnodev": (.noDev, false),
        "rnodiratime": (.noDirATime, false),
        "rnoexec": (.noExec, false),
        "rnorelatime": (.relATime, true),
        "rnostrictatime": (.strictATime, true),
        "rnosuid": (.noSUID, false),
        "rnosymfollow": (.noSymFollow, false),
        "rrelatime": (.relATime, false),
        "rro": (.readOnly, false),
        "rrw": (.readOnly, true),
        "rstrictatime": (.strictATime, false),
        "rsuid": (.noSUID, true),
        "rsymfollow": (.noSymFollow, true),
    ]

    private static let propagations: [String: Propagation] = [
        "private": Propagation(.private, isRecursive: false),
        "rprivate": Propagation(.private, isRecursive: true),
        "shared": Propagation(.shared, isRecursive: false),
        "rshared": Propagation(.shared, isRecursive: true),
        "slave": Propagation(.slave, isRecursive: false),
        "rslave": Propagation(.slave, isRecursive: true),
        "unbindable": Propagation(.unbindable, isRecursive: false),
        "runbindable": Propagation(.unbindable, isRecursive: true),
    ]
}
