// SPDX-License-Identifier: Apache-2.0
public import Linux
import ProgramArguments
public import SandboxPlan

/// fc-fsd in its jail: the shared directory tree, made of detached mounts, is at /shared.
public enum FileServerProcess {
    /// The tree's place in the jail.
    public static let directory = "/shared"

    /// chown, dac_override, fowner, fsetid, setgid, setuid, mknod, setfcap: to make and read files as the guest's users.
    /// Not dac_read_search: open_by_handle_at(2) would find any file of the host's
    /// file systems by its number, and dac_override reads as much.
    public static let capabilities: [Int32] = [0, 1, 3, 4, 6, 7, 27, 31]

    /// One thing in the tree.
    public struct Share: Hashable, Sendable {
        /// Relative, no `..`, such as `0/rootfs`: as ContainerPlan's shared paths have it.
        public var path: String
        /// A detached mount, open in the caller.
        public var mount: BorrowedDescriptor
        /// Whether it is a file, and not a directory.
        public var isFile: Bool
        /// The host refuses writes.
        public var isReadOnly: Bool

        /// A detached mount at `path` of the tree.
        public init(path: String, mount: BorrowedDescriptor, isFile: Bool, isReadOnly: Bool) {
            self.path = path
            self.mount = mount
            self.isFile = isFile
            self.isReadOnly = isReadOnly
        }
    }

    /// - Parameters:
    ///   - executable: fc-fsd, on the host.
    ///   - socket: the back-end's end of a socket pair whose other end is the engine's vhost-user front-end.
    ///   - log: fc-fsd's standard error.
    public static func make(
        executable: String, shares: [Share], socket: BorrowedDescriptor, log: BorrowedDescriptor
    ) throws(EngineError) -> JailedProcess {
        var process = JailedProcess(name: "fc-fsd", executable: executable, arguments: [])
        process.mounts = [
            JailMount(source: .processes, destination: "/proc", isReadOnly: true),
            // Places for shares that come later are made through a mount of the same tmpfs that is not read-only.
            JailMount(source: .temporary, destination: directory, isReadOnly: true),
        ]
        for share in shares {
            process.mounts.append(
                JailMount(
                    source: .detached(descriptor: share.mount.rawValue, isFile: share.isFile),
                    destination: "\(directory)/\(share.path)", isReadOnly: share.isReadOnly))
        }
        process.descriptors = [InheritedDescriptor(source: log.rawValue, target: 2)]
        var arguments = FileServerArguments()
        arguments.socket = .descriptor(process.inherit(socket))
        arguments.directory = .path(directory)
        arguments.tag = GuestConvention.sharedTag
        do throws(ArgumentError) {
            process.arguments = try arguments.arguments()
        } catch {
            throw .arguments(program: process.name, error)
        }
        process.capabilities = capabilities
        process.resourceLimits = [.noCore, openFiles]
        return process
    }

    /// The most open files that the kernel lets a process have, fs.nr_open, up to a million: all files that the sandbox has
    /// open are fc-fsd's. Without CAP_SYS_RESOURCE the jailer lowers it to the caller's own limit.
    private static var openFiles: ResourceLimit {
        let most: UInt64 = 1 << 20
        let bytes = try? FileDescriptor.open("/proc/sys/fs/nr_open").read(upTo: 64)
        let kernel = bytes.flatMap { bytes in
            UInt64(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
        }
        let count = min(kernel ?? most, most)
        return ResourceLimit(resource: 7, soft: count, hard: count)
    }
}
