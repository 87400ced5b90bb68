// SPDX-License-Identifier: Apache-2.0
import Configuration
import Sandbox

/// What the options, the configuration file and the environment come to: the log, and the runtime set up.
struct Context {
    let log: Log
    let runtime: Runtime
    /// Those of containerd's namespaces; none where a directory was named.
    private(set) var ofNamespaces: [Runtime] = []

    /// - Parameter container: the one that is spoken of, which may be containerd's where no directory was named.
    init(_ global: GlobalOptions, container: String? = nil) throws(UsageError) {
        let log = try Log(global)
        self.log = log
        if global.systemdCgroup { throw .systemdCgroup }
        do {
            var options = try RuntimeOptions(global.settings, log: { log.write($0, $1) })
            let own = options.root
            if (global.root ?? "").isEmpty {
                if let container { options.root = try StateDirectory.holding(container, own: own) }
                ofNamespaces = StateDirectory.namespaces().map { directory in
                    var options = options
                    options.root = directory
                    return Runtime(options)
                }
            }
            runtime = Runtime(options)
        } catch {
            throw .configuration(error)
        }
    }
}

extension GlobalOptions {
    var settings: Settings {
        var settings = Settings()
        settings.root = root
        settings.configurationFile = config
        settings.engine = engine
        settings.libexec = libexec
        settings.kernel = kernel
        settings.initramfs = initramfs
        settings.qemu = qemu
        return settings
    }
}
