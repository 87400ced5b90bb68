// SPDX-License-Identifier: Apache-2.0
import Linux

/// What the options of one mount mean: those of any mount, and the rest, which are the file system's own.
struct MountWords {
    var attributes: Mount.Attributes = []
    /// Of the file system as a whole, whatever its kind.
    var superblock: [String] = []
    var propagation: (kind: Mount.Propagation, isRecursive: Bool)?
    var isBind = false
    var isRecursive = false
    var isLoop = false
    /// In the order written.
    var rest: [String] = []

    init(_ mount: RootMount) throws(TaskRootfsError) {
        isBind = mount.type == "bind" || mount.type == "rbind"
        isRecursive = mount.type == "rbind"
        for word in mount.options { try take(word, type: mount.type) }
    }

    private mutating func take(_ word: String, type: String) throws(TaskRootfsError) {
        if let (attribute, isOn) = Self.attributes[word] {
            if isOn { attributes.insert(attribute) } else { attributes.remove(attribute) }
            return
        }
        if let kind = Self.propagations[word] {
            propagation = kind
            return
        }
        switch word {
        case "", "defaults", "async", "nolazytime", "nomand", "mand", "loud", "silent": break
        case "sync", "dirsync", "lazytime": superblock.append(word)
        case "noatime": setAccessTime(.noAccessTime)
        case "strictatime": setAccessTime(.strictAccessTime)
        case "relatime", "atime", "norelatime", "nostrictatime": setAccessTime([])
        case "bind": isBind = true
        case "rbind": (isBind, isRecursive) = (true, true)
        case "loop": isLoop = true
        case "remount": throw .remount(type: type)
        case "idmap", "ridmap": throw .idMapping(word)
        case _ where word.begins(with: "uidmap=") || word.begins(with: "gidmap="): throw .idMapping(word)
        default: rest.append(word)
        }
    }

    private mutating func setAccessTime(_ mode: Mount.Attributes) {
        attributes.subtract([.noAccessTime, .strictAccessTime])
        attributes.formUnion(mode)
    }

    private static let attributes: [String: (Mount.Attributes, isOn: Bool)] = [
        "ro": (.readOnly, true), "rw": (.readOnly, false),
        "nosuid": (.noSetUID, true), "suid": (.noSetUID, false),
        "nodev": (.noDevices, true), "dev": (.noDevices, false),
        "noexec": (.noExecute, true), "exec": (.noExecute, false),
        "nodiratime": (.noDirectoryAccessTime, true), "diratime": (.noDirectoryAccessTime, false),
        "nosymfollow": (.noSymlinkFollow, true), "symfollow": (.noSymlinkFollow, false),
    ]

    private static let propagations: [String: (Mount.Propagation, isRecursive: Bool)] = [
        "private": (.private, false), "rprivate": (.private, true),
        "slave": (.slave, false), "rslave": (.slave, true),
        "shared": (.shared, false), "rshared": (.shared, true),
        "unbindable": (.unbindable, false), "runbindable": (.unbindable, true),
    ]
}
