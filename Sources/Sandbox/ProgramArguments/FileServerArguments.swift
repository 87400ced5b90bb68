// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

/// The command line of fc-fsd.
public struct FileServerArguments: ArgumentList {
    /// Something that a program opens by a path, or was started with.
    public enum Place: Equatable, Sendable {
        case descriptor(Int32)
        case path(String)
    }

    /// The vhost-user front-end: a connected socket, or a path to listen at for one connection.
    public var socket = Place.descriptor(-1)
    /// The root of the tree that is served.
    public var directory = Place.descriptor(-1)
    /// 1 to 36 bytes of UTF-8, virtio 1.2 §5.11.4.
    public var tag = "rootfs"
    /// Requests served at a time, 1 to 64.
    public var threadCount = 4
    /// Writes are refused.
    public var isReadOnly = false
    /// How long the guest may answer from its own memory.
    public var cache = CachePolicy.auto
    /// How many inodes the guest may know, at least 64; nil: the device's own limit.
    public var inodeLimit: Int?
    /// Where lines about what went wrong go.
    public var log: Int32 = 2

    /// What is required is still to be set.
    public init() {}

    /// How the program is called, in one line.
    public static let usage =
        "usage: fc-fsd (--socket-fd N | --socket-path PATH) (--directory-fd M | --directory PATH) "
        + "[--tag NAME] [--threads N] [--read-only] [--cache auto|always|none] [--inodes N] [--log-fd K]"

    /// Lists the flags.
    public mutating func list(_ flags: inout ArgumentCoder) throws(ArgumentError) {
        try flags.place("--socket-fd", "--socket-path", &socket)
        try flags.place("--directory-fd", "--directory", &directory)
        try flags.value("--tag", &tag, .text(byteCount: 1...36), initial: "rootfs")
        try flags.value("--threads", &threadCount, .number(1...64), initial: 4)
        try flags.isSet("--read-only", &isReadOnly)
        try flags.value("--cache", &cache, .word, initial: .auto)
        try flags.value("--inodes", &inodeLimit, .number(64...Int(UInt32.max)))
        var given = log == 2 ? nil : log
        try flags.descriptor("--log-fd", &given)
        log = given ?? 2
    }
}

extension ArgumentCoder {
    /// One of two flags, and not both.
    fileprivate mutating func place(
        _ descriptorFlag: String, _ pathFlag: String, _ place: inout FileServerArguments.Place
    ) throws(ArgumentError) {
        var (descriptor, path): (Int32?, String?) =
            switch place {
            case .descriptor(let number): (number, nil)
            case .path(let path): (nil, path)
            }
        try self.descriptor(descriptorFlag, &descriptor)
        try value(pathFlag, &path, .text())
        if isLearning { return }
        switch (descriptor, path) {
        case (let number?, nil): place = .descriptor(number)
        case (nil, let text?): place = .path(text)
        case (nil, nil): throw .missingFlag("\(descriptorFlag) or \(pathFlag)")
        case (_?, _?): throw .conflictingFlags(descriptorFlag, pathFlag)
        }
    }
}
