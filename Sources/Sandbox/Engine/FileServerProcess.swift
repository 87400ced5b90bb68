public import SandboxPlan

/// fc-fsd in its jail: the shared directory tree, put together from detached mounts, on /shared.
public enum FileServerProcess {
    /// Where the tree lies in the jail.
    public static let directory = "/shared"

    /// chown, dac_override, dac_read_search, fowner, fsetid, setgid, setuid, mknod, setfcap: to make files as
    /// the guest's users have them, and to read those it may not.
    public static let capabilities: [Int32] = [0, 1, 2, 3, 4, 6, 7, 27, 31]

    /// One thing in the tree.
    public struct Share: Hashable, Sendable {
        /// Relative, no `..`, such as `0/rootfs`: as ContainerPlan's shared paths have it.
        public var path: String
        /// A detached mount, open in the caller.
        public var mount: Int32
        public var isFile: Bool
        public var isReadOnly: Bool

        public init(path: String, mount: Int32, isFile: Bool, isReadOnly: Bool) {
            self.path = path
            self.mount = mount
            self.isFile = isFile
            self.isReadOnly = isReadOnly
        }
    }

    /// - Parameters:
    ///   - executable: fc-fsd, on the host.
    ///   - socket: the end of a socket pair at which the engine's vhost-user front-end speaks.
    ///   - log: where fc-fsd's standard error goes.
    public static func make(executable: String, shares: [Share], socket: Int32, log: Int32) -> JailedProcess {
        var process = JailedProcess(
            name: "fc-fsd", executable: executable,
            arguments: ["--socket-fd", "3", "--directory", directory, "--tag", GuestConvention.sharedTag])
        process.mounts = [
            JailMount(source: .processes, destination: "/proc", isReadOnly: true),
            // Places for shares that come later are made through a mount of the same tmpfs that is not read-only.
            JailMount(source: .temporary, destination: directory, isReadOnly: true),
        ]
        for share in shares {
            process.mounts.append(
                JailMount(
                    source: .detached(descriptor: share.mount, isFile: share.isFile),
                    destination: "\(directory)/\(share.path)", isReadOnly: share.isReadOnly))
        }
        process.descriptors = [HandedDescriptor(here: log, there: 2), HandedDescriptor(here: socket, there: 3)]
        process.capabilities = capabilities
        process.resourceLimits = [.noCore]
        return process
    }
}
