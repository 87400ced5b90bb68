// SPDX-License-Identifier: Apache-2.0
import Engine
import Glibc
import Linux
public import Sandbox

/// What a program was told for this one time, before which the configuration file stands back. nil: nothing was said.
public struct Settings: Equatable, Sendable {
    /// The directory that keeps containers' states.
    public var root: String?
    /// The configuration file.
    public var configurationFile: String?
    /// An ``EngineKind`` by its name.
    public var engine: String?
    /// The directory of fc-jailer, fc-proxy, fc-vmm and fc-fsd.
    public var libexec: String?
    /// The guest's kernel.
    public var kernel: String?
    /// The guest's initial file system.
    public var initramfs: String?
    /// The QEMU program.
    public var qemu: String?

    /// Every field absent or at its default.
    public init() {}
}

extension RuntimeOptions {
    /// What `settings`, the configuration file and the environment come to. Paths may be relative to the current
    /// directory; parts that are not named lie as `make install` puts them, relative to the running program.
    ///
    /// - Parameter log: told what a person may want to know; one line each.
    public init(
        _ settings: Settings, log: @escaping @Sendable (LogLevel, String) -> Void
    ) throws(ConfigurationError) {
        let configuration = try Configuration.load(
            option: settings.configurationFile, environment: Environment[Configuration.variable])
        var engine = configuration.engine ?? .auto
        if let name = settings.engine {
            guard let kind = EngineKind(rawValue: name) else { throw .unknownEngine(name) }
            engine = kind
        }
        self.init(
            root: try Self.root(settings.root), engine: engine, parts: try Parts(settings, configuration),
            memoryByteCount: configuration.memoryByteCount ?? 512 << 20, vcpuCount: configuration.vcpuCount ?? 1,
            podMemoryByteCount: configuration.podMemoryByteCount ?? 2 << 30,
            podVCPUCount: configuration.podVCPUCount ?? 1,
            bootTimeoutSeconds: Int64(configuration.bootTimeout ?? 60), log: log)
    }

    private static func root(_ option: String?) throws(ConfigurationError) -> String {
        if let option, !option.isEmpty { return AbsolutePath.of(option) }
        if geteuid() == 0 { return StateDirectory.standard }
        guard let directory = Environment["XDG_RUNTIME_DIR"], directory.begins(with: "/") else {
            throw .noRuntimeDirectory
        }
        return AbsolutePath.of(directory + "/fc-runc")
    }
}

extension Parts {
    fileprivate init(_ settings: Settings, _ configuration: Configuration) throws(ConfigurationError) {
        let prefix = try Installation.prefix()
        let kernel = settings.kernel.map(AbsolutePath.of) ?? configuration.kernel
        let initramfs = settings.initramfs.map(AbsolutePath.of) ?? configuration.initramfs
        let installed = prefix + "/lib/fc-runc/guest"
        // Where only one of kernel and initramfs is named, the other is the stock kernel's.
        let guest = kernel == nil && initramfs == nil ? Installation.guestDirectory(installed) : installed
        self.init(
            programs: settings.libexec.map(AbsolutePath.of) ?? configuration.libexec ?? prefix + "/libexec/fc-runc",
            kernel: kernel ?? guest + "/vmlinux", initramfs: initramfs ?? guest + "/initramfs.cpio",
            qemu: settings.qemu.map(AbsolutePath.of) ?? configuration.qemu ?? "/usr/bin/qemu-system-x86_64")
    }
}
