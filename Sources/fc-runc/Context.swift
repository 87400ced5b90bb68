import Engine
import Glibc
import Linux
import Sandbox

/// What the options, the configuration file and the environment come to: the log, and the runtime set up.
struct Context {
    let log: Log
    let runtime: Runtime

    init(_ global: GlobalOptions) throws(UsageError) {
        let log = try Log(global)
        self.log = log
        if global.systemdCgroup { throw .systemdCgroup }
        let configuration = try Configuration.load(
            option: global.config, environment: Environment[Configuration.variable])
        var engine = configuration.engine ?? .auto
        if let name = global.engine {
            guard let kind = EngineKind(rawValue: name) else { throw .engine(name) }
            engine = kind
        }
        runtime = Runtime(
            RuntimeOptions(
                root: try Self.root(global.root), engine: engine, parts: try Self.parts(global, configuration),
                memoryByteCount: configuration.memoryByteCount ?? 512 << 20,
                vcpuCount: configuration.vcpuCount ?? 1, bootTimeoutSeconds: Int64(configuration.bootTimeout ?? 60),
                log: { log.write($0, $1) }))
    }

    private static func root(_ option: String?) throws(UsageError) -> String {
        if let option, !option.isEmpty { return AbsolutePath.of(option) }
        if geteuid() == 0 { return "/run/fc-runc" }
        guard let directory = Environment["XDG_RUNTIME_DIR"], directory.hasPrefix("/") else {
            throw .noRuntimeDirectory
        }
        return AbsolutePath.of(directory + "/fc-runc")
    }

    /// Where a part is not named, it lies as `make install` puts it, relative to this program.
    private static func parts(_ global: GlobalOptions, _ configuration: Configuration) throws(UsageError) -> Parts {
        let prefix = try installationPrefix()
        let libexec = global.libexec.map(AbsolutePath.of) ?? configuration.libexec
        let kernel = global.kernel.map(AbsolutePath.of) ?? configuration.kernel
        let initramfs = global.initramfs.map(AbsolutePath.of) ?? configuration.initramfs
        let installed = prefix + "/lib/fc-runc/guest"
        // Beside a kernel or an initramfs of somebody's own the other one is the stock one's.
        let guest = kernel == nil && initramfs == nil ? guestDirectory(installed) : installed
        let qemu = global.qemu.map(AbsolutePath.of) ?? configuration.qemu
        return Parts(
            programs: libexec ?? prefix + "/libexec/fc-runc",
            kernel: kernel ?? guest + "/vmlinux", initramfs: initramfs ?? guest + "/initramfs.cpio",
            qemu: qemu ?? "/usr/bin/qemu-system-x86_64")
    }

    /// Where the guest's kernel and initramfs lie, which belong together: those of the trimmed kernel where `make
    /// guest-kernel` has built it, or the stock one's.
    static func guestDirectory(_ installed: String) -> String {
        let trimmed = installed + "/trimmed"
        let isThere = ["vmlinux", "initramfs.cpio"].allSatisfy {
            // access(2) reads the string and keeps nothing.
            unsafe access("\(trimmed)/\($0)", R_OK) == 0
        }
        return isThere ? trimmed : installed
    }

    /// The directory above the one this program lies in, symlinks resolved: `/usr/local` of
    /// `/usr/local/bin/fc-runc`.
    private static func installationPrefix() throws(UsageError) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return -1 }
            // readlink fills at most the buffer and ends it with nothing.
            return unsafe readlink("/proc/self/exe", start.assumingMemoryBound(to: CChar.self), buffer.count)
        }
        guard count > 0, count < buffer.count else { throw .executablePath(Errno(rawValue: errno)) }
        return AbsolutePath.of(String(decoding: buffer[..<count], as: UTF8.self) + "/../..")
    }
}

/// Environment variables of this process.
enum Environment {
    static subscript(name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        // A C string of the environment, which nobody changes here.
        return unsafe String(cString: value)
    }
}

/// Paths made absolute and rid of `.`, `..` and doubled slashes, by their text alone, as Go's filepath.Abs.
enum AbsolutePath {
    static func of(_ path: String) -> String {
        var full = path
        if !path.hasPrefix("/"), let directory = unsafe getcwd(nil, 0) {
            // getcwd made the string, which is freed here.
            full = unsafe String(cString: directory) + "/" + path
            unsafe free(directory)
        }
        var components: [Substring] = []
        for component in full.split(separator: "/") where component != "." {
            if component == ".." { _ = components.popLast() } else { components.append(component) }
        }
        return "/" + components.joined(separator: "/")
    }
}
