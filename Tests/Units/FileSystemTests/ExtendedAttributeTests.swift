// SPDX-License-Identifier: Apache-2.0
import CLinux
@testable import FileSystem
import Glibc
import Linux
import Testing

/// Extended attributes: which the guest sees, and what they are on the host.
@Suite struct ExtendedAttributeTests {
    @Test("The guest's user attributes are those of the host's file")
    func theUsersAreTheHosts() throws {
        let guest = try Guest()
        try guest.tree.file("f")
        let node = guest.lookup("f").node
        #expect(guest.set(node, "user.x", [1, 2]) == 0)
        #expect(host(guest, "f", "user.x") == [1, 2])
        #expect(guest.get(node, "user.x").body == [1, 2])
        #expect(guest.get(node, "user.x", size: 0).body == [2, 0, 0, 0, 0, 0, 0, 0])
        #expect(guest.get(node, "user.x", size: .max).body == [1, 2])
        #expect(guest.get(node, "user.x", size: 1).error == ERANGE)
        #expect(guest.names(node) == ["user.x"])
        // XATTR_CREATE, XATTR_REPLACE
        #expect(guest.set(node, "user.x", [3], flags: 1) == EEXIST)
        #expect(guest.set(node, "user.y", [3], flags: 2) == ENODATA)
        #expect(guest.remove(node, "user.x") == 0 && host(guest, "f", "user.x") == nil)
        #expect(guest.get(node, "user.x").error == ENODATA && guest.remove(node, "user.x") == ENODATA)
    }

    @Test(
        "Trusted and security attributes have another name on the host",
        arguments: ["trusted.overlay.opaque", "security.selinux", "security.ima", "user.fc-runc.trusted.x"])
    func whatMustNotBeTheHostsHasAnotherName(name: String) throws {
        let guest = try Guest()
        try guest.tree.file("f")
        try guest.tree.directory("d")
        for file in ["f", "d"] {
            let node = guest.lookup(file).node
            #expect(guest.set(node, name, [0x79]) == 0)
            #expect(host(guest, file, "user.fc-runc." + name) == [0x79])
            #expect(host(guest, file, name) == nil)
            #expect(guest.names(node) == [name])
            guest.uid = 1001
            #expect(guest.names(node) == (name.hasPrefix("trusted.") ? [] : [name]))
            guest.uid = 0
            #expect(guest.get(node, name).body == [0x79] && guest.get(node, name, size: 0).u32(0) == 1)
            #expect(guest.set(node, name, [1], flags: 1) == EEXIST)
            #expect(guest.remove(node, name) == 0)
            #expect(guest.names(node).isEmpty && host(guest, file, "user.fc-runc." + name) == nil)
        }
    }

    /// No process of the guest makes an attribute that its kernel trusts by a name that every process may set.
    @Test("Setting an attribute by its host name does not create the trusted one")
    func theOtherNameIsNoWayIn() throws {
        let guest = try Guest()
        try guest.tree.file("f")
        let node = guest.lookup("f").node
        #expect(guest.set(node, "user.fc-runc.security.capability", [1]) == 0)
        #expect(guest.get(node, "security.capability").error == ENODATA)
        #expect(guest.set(node, "user.fc-runc.trusted.x", [1]) == 0)
        #expect(guest.get(node, "trusted.x").error == ENODATA)
        #expect(guest.names(node) == ["user.fc-runc.security.capability", "user.fc-runc.trusted.x"])
    }

    @Test("The host's own trusted, security and reserved attributes are hidden")
    func theHostsOwnAreNotSeen() throws {
        let guest = try Guest()
        try guest.tree.file("f")
        let node = guest.lookup("f").node
        setHost(guest, "f", "user.fc-runc.other", [1])
        setHost(guest, "f", "user.seen", [1])
        if isRoot {
            setHost(guest, "f", "trusted.host", [1])
            setHost(guest, "f", "security.host", [1])
            #expect(guest.get(node, "trusted.host").error == ENODATA)
            #expect(guest.get(node, "security.host").error == ENODATA && guest.remove(node, "security.host") == ENODATA)
        }
        #expect(guest.names(node) == ["user.seen"])
        #expect(guest.call(.listExtendedAttributes, node, Bytes().u32(0).u32(0)).u32(0) == 10)
        #expect(guest.call(.listExtendedAttributes, node, Bytes().u32(9).u32(0)).error == ERANGE)
    }

    @Test(
        "Attributes of unknown namespaces are refused",
        arguments: ["system.nfs4_acl", "system.posix_acl_accesses", "system.posix_acl_", "other.x", "user", "x"])
    func namesOfWhichNobodyKnowsAreRefused(name: String) throws {
        let guest = try Guest()
        try guest.tree.file("f")
        let node = guest.lookup("f").node
        #expect(guest.set(node, name, [1]) == EOPNOTSUPP)
        #expect(guest.get(node, name).error == EOPNOTSUPP && guest.remove(node, name) == EOPNOTSUPP)
    }

    @Test("A value that is cut or too long, and a name that is too long or none, are refused")
    func whatIsMalformedIsRefused() throws {
        let guest = try Guest()
        try guest.tree.file("f")
        let node = guest.lookup("f").node
        func set(_ name: String, byteCount: UInt32, _ value: [UInt8]) -> Int32 {
            let body = Bytes().u32(byteCount).u32(0).u64(0).text(name).adding(value)
            return guest.call(.setExtendedAttribute, node, body).error
        }
        // More value than there is.
        #expect(set("user.x", byteCount: 10, [1]) == EINVAL)
        #expect(set("user.x", byteCount: 70_000, []) == E2BIG)
        #expect(guest.set(node, "user.", [1]) == EINVAL)
        #expect(guest.get(node, String(repeating: "u", count: 256)).error == ENAMETOOLONG)
        #expect(guest.names(node).isEmpty)
    }

    @Test("The short SETXATTR of older guests is understood")
    func setExtendedAttributeOfOlderGuests() throws {
        let guest = try Guest(capabilities: 0)
        try guest.tree.file("f")
        let f = guest.lookup("f").node
        #expect(guest.call(.setExtendedAttribute, f, Bytes().u32(2).u32(0).text("user.a").adding([8, 9])).error == 0)
        #expect(guest.call(.getExtendedAttribute, f, Bytes().u32(10).u32(0).text("user.a")).body == [8, 9])
    }

    @Test("A name too long for the host is refused")
    func aNameThatTheHostHasNoRoomFor() throws {
        let guest = try Guest()
        try guest.tree.file("f")
        let node = guest.lookup("f").node
        let longest = "trusted." + String(repeating: "x", count: 255 - 13 - 8)
        #expect(guest.set(node, longest, [1]) == 0 && guest.names(node) == [longest])
        #expect(guest.set(node, longest + "x", [1]) == ERANGE)
        #expect(guest.set(node, "user." + String(repeating: "x", count: 250), [1]) == 0)
        #expect(guest.set(node, "user." + String(repeating: "x", count: 251), [1]) == ENAMETOOLONG)
    }

    @Test("A symlink takes no extended attributes")
    func whatIsNoFileHasNone() throws {
        let guest = try Guest()
        try guest.tree.file("f")
        try guest.tree.symlink("l", to: "f")
        let node = guest.lookup("l").node
        // EPERM, which overlayfs takes for what such a file cannot have.
        #expect(guest.set(node, "trusted.overlay.origin", [1]) == EPERM)
        #expect(guest.get(node, "trusted.overlay.origin").error == ENODATA && guest.names(node).isEmpty)
        // Nor does what it leads to get them.
        #expect(guest.set(node, "user.x", [1]) == EPERM)
        #expect(guest.names(guest.lookup("f").node).isEmpty)
    }

    /// struct posix_acl_xattr_header and its entries: user 1001 may read, the group may not.
    private static let list = Bytes().u32(2)
        .u32(6 << 16 | 0x01).u32(.max).u32(4 << 16 | 0x02).u32(1001).u32(0x04).u32(.max).u32(4 << 16 | 0x10).u32(.max)
        .u32(0x20).u32(.max).bytes

    @Test("POSIX ACLs are the host's and show in the mode's group bits")
    func listsAreTheHosts() throws {
        let guest = try Guest()
        try guest.tree.file("f")
        let node = guest.lookup("f").node
        let name = "system.posix_acl_access"
        #expect(guest.get(node, name).error == ENODATA)
        #expect(guest.set(node, name, Self.list) == 0)
        #expect(host(guest, "f", name) == Self.list && guest.get(node, name).body == Self.list)
        #expect(guest.names(node) == [name])
        // The mode's group bits are the mask.
        #expect(guest.attributes(node).attributes.mode & 0o777 == 0o640)
        #expect(guest.remove(node, name) == 0)
    }

    @Test("New files and directories inherit the default ACL instead of the umask")
    func whatIsMadeBelowInheritsTheDefault() throws {
        let guest = try Guest()
        try guest.tree.directory("d")
        let node = guest.lookup("d").node
        #expect(guest.set(node, "system.posix_acl_default", Self.list) == 0)
        // A default list counts in the umask's stead.
        let made = guest.create("f", in: node, mode: 0o666, umask: 0o077)
        #expect(made.error == 0 && made.entry.mode & 0o777 == 0o640)
        #expect(host(guest, "d/f", "system.posix_acl_access")?.count == Self.list.count)
        #expect(guest.makeDirectory("e", in: node, mode: 0o777, umask: 0o077).entry.mode & 0o777 == 0o640)
        #expect(host(guest, "d/e", "system.posix_acl_default") == Self.list)
        #expect(guest.create("g", mode: 0o666, umask: 0o027).entry.mode & 0o777 == 0o640)
    }

    // MARK: Capabilities of files

    private static let rights = Bytes().u32(0x0200_0001).u32(1 << 13).u32(0).u32(0).u32(0).bytes
    private static func rights(ofRoot root: UInt32) -> [UInt8] {
        Bytes().u32(0x0300_0001).u32(1 << 13).u32(0).u32(0).u32(0).u32(root).bytes
    }

    @Test(
        "File capabilities hold in the guest and not on the host",
        .enabled(if: isRoot, "file capabilities take CAP_SETFCAP"))
    func capabilitiesHoldInTheGuestAlone() throws {
        let guest = try Guest()
        try guest.tree.file("f")
        let node = guest.lookup("f").node
        let name = "security.capability"
        #expect(guest.set(node, name, Self.rights) == 0)
        // A namespace whose root is this user's is not on the host.
        #expect(host(guest, "f", name) == Self.rights(ofRoot: 1 << 31))
        #expect(guest.get(node, name).body == Self.rights)
        #expect(guest.get(node, name, size: 0).u32(0) == 20 && guest.get(node, name, size: 19).error == ERANGE)
        #expect(guest.names(node) == [name])
        #expect(guest.set(node, name, Self.rights, flags: 1) == EEXIST)
        // Of a user namespace in the guest.
        #expect(guest.set(node, name, Self.rights(ofRoot: 1000)) == 0)
        #expect(host(guest, "f", name) == Self.rights(ofRoot: 1 << 31 | 1000))
        #expect(guest.get(node, name).body == Self.rights(ofRoot: 1000))
        for value in [[], [1], Self.rights + [0], Self.rights(ofRoot: 1 << 31), Self.rights(ofRoot: 0x7fff_ffff)] {
            #expect(guest.set(node, name, value) == EINVAL)
        }
        // A write takes them away, as on any file system.
        let handle = guest.open(node, O_RDWR).u64(0)
        #expect(guest.write(handle, 0, [1]).error == 0)
        #expect(guest.get(node, name).error == ENODATA && guest.names(node).isEmpty)
    }

    @Test(
        "File capabilities from an image hold in the guest", .enabled(if: isRoot, "file capabilities take CAP_SETFCAP"))
    func anImagesCapabilitiesHoldInTheGuest() throws {
        let guest = try Guest()
        try guest.tree.file("f")
        let node = guest.lookup("f").node
        let name = "security.capability"
        setHost(guest, "f", name, Self.rights)
        #expect(guest.get(node, name).body == Self.rights && guest.names(node) == [name])
        #expect(guest.remove(node, name) == 0 && host(guest, "f", name) == nil)
    }

    // MARK: The host's side

    private func host(_ guest: Guest, _ file: String, _ name: String) -> [UInt8]? {
        let value = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 1)
        defer { unsafe value.deallocate() }
        let count = try? withPath(guest.tree.at(file)) { (path) throws(Errno) in
            try withPath(name) { (name) throws(Errno) in
                try unsafe syscall(__NR_lgetxattr, path, name, value.argument, value.count)
            }
        }
        // Of what was allocated above, as much as the kernel wrote.
        return count.map { unsafe Array(value.prefix($0)) }
    }

    private func setHost(_ guest: Guest, _ file: String, _ name: String, _ value: [UInt8]) {
        let error = try? withPath(guest.tree.at(file)) { (path) throws(Errno) in
            try withPath(name) { (name) throws(Errno) in
                try withBytes(value) { (address) throws(Errno) in
                    try syscall(__NR_lsetxattr, path, name, address, value.count, 0)
                }
            }
        }
        #expect(error == 0)
    }
}

extension Guest {
    fileprivate func set(_ node: UInt64, _ name: String, _ value: [UInt8], flags: UInt32 = 0) -> Int32 {
        let body = Bytes().u32(UInt32(value.count)).u32(flags).zeros(8).text(name)
        return call(.setExtendedAttribute, node, body, data: value).error
    }
    fileprivate func get(_ node: UInt64, _ name: String, size: UInt32 = 4096) -> Answer {
        call(.getExtendedAttribute, node, Bytes().u32(size).u32(0).text(name))
    }
    fileprivate func remove(_ node: UInt64, _ name: String) -> Int32 {
        call(.removeExtendedAttribute, node, Bytes().text(name)).error
    }
    fileprivate func names(_ node: UInt64) -> [String] {
        let answer = call(.listExtendedAttributes, node, Bytes().u32(4096).u32(0))
        return answer.body.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.sorted()
    }
}
