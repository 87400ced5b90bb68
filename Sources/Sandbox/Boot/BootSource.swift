/// What a guest is booted from. The descriptors are borrowed for the call, of regular files opened for reading.
public struct BootSource: Sendable {
    /// How a kernel is entered.
    public enum Entry: Sendable {
        /// PVH where the kernel has that entry, Linux's 64-bit entry elsewhere.
        case automatic
        /// PVH: Xen's documentation, misc/pvh.html.
        case pvh
        /// The 64-bit boot protocol: Linux Documentation/arch/x86/boot.rst.
        case linux64
    }

    /// An uncompressed vmlinux (ELF-64) or a bzImage.
    public var kernel: Int32
    /// A cpio archive, compressed or not, as the kernel takes it.
    public var initramfs: Int32?
    /// At most 2047 bytes; the parameters of `CommandLine.platform` are not added.
    public var commandLine: String
    public var entry: Entry

    public init(kernel: Int32, initramfs: Int32?, commandLine: String, entry: Entry = .automatic) {
        self.kernel = kernel
        self.initramfs = initramfs
        self.commandLine = commandLine
        self.entry = entry
    }
}
