import Configuration
import Sandbox

/// What the options, the configuration file and the environment come to: the log, and the runtime set up.
struct Context {
    let log: Log
    let runtime: Runtime

    init(_ global: GlobalOptions) throws(UsageError) {
        let log = try Log(global)
        self.log = log
        if global.systemdCgroup { throw .systemdCgroup }
        do {
            runtime = Runtime(try RuntimeOptions(global.settings, log: { log.write($0, $1) }))
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
