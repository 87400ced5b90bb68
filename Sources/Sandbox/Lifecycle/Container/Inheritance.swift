// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux
import RuntimeState
import SandboxPlan

/// What a container's process finds under runc because it is a child of its caller's, on the host's kernel.
extension ProcessPlan {
    /// The limits of setrlimit(2) that the document does not name are this process's own, and so the caller's.
    mutating func inheritResourceLimits() {
        let named = Set(resourceLimits.map(\.resource))
        for resource in UInt32(0)..<Process.limitCount where !named.contains(resource) {
            guard let limit = try? Process.limit(resource) else { continue }
            resourceLimits.append(ResourceLimit(resource: resource, soft: limit.soft, hard: limit.hard))
        }
    }
}

/// Parameters of the host's kernel that no namespace divides and that programs look at before they start, or run into
/// later. The guest has a kernel of its own, which is given the same.
///
/// Left out is what speaks of the host's devices, memory or logs (dirty_ratio, nr_hugepages, overcommit_ratio, core_pattern), what
/// namespaces have their own of, as they do under runc (net.*, kernel.shm*, fs.mqueue.*), and threads-max, which each
/// kernel derives from its memory and bounds by it.
enum HostKernelParameters {
    /// By path below /proc/sys, and Linux' default: only what differs is sent.
    private static let defaults: [(name: String, value: String)] = [
        ("fs/aio-max-nr", "65536"),
        ("fs/inotify/max_queued_events", "16384"),
        ("fs/inotify/max_user_instances", "128"),
        ("fs/mount-max", "100000"),
        ("fs/pipe-max-size", "1048576"),
        ("fs/pipe-user-pages-hard", "0"),
        ("fs/pipe-user-pages-soft", "16384"),
        ("fs/protected_fifos", "0"),
        ("fs/protected_hardlinks", "0"),
        ("fs/protected_regular", "0"),
        ("fs/protected_symlinks", "0"),
        ("kernel/pid_max", "32768"),
        ("kernel/randomize_va_space", "2"),
        ("vm/max_map_count", "65530"),
        ("vm/overcommit_memory", "0"),
        ("vm/swappiness", "60"),
    ]
    /// Numbers of which the guest keeps its own where that is more: they grow with a kernel's memory, or the guest's agent
    /// needs them.
    private static let least: [(name: String, value: UInt64)] = [
        ("fs/epoll/max_user_watches", 0),
        ("fs/file-max", 0),
        ("fs/inotify/max_user_watches", 8192),
        ("fs/nr_open", 1_048_576),
    ]

    static func changed(
        read: (String) -> String? = { value(of: $0) }
    ) -> [KernelParameter] {
        defaults.compactMap { name, usual in
            guard let value = read(name), !value.isSame(as: usual) else { return nil }
            // Strict accounting is of the host's memory: in the guest's it would leave half for everybody, agent included.
            if name == "vm/overcommit_memory", value == "2" { return nil }
            return KernelParameter(name: name, value: value)
        }
    }

    static func raised(read: (String) -> String? = { value(of: $0) }) -> [KernelParameter] {
        least.compactMap { name, usual in
            guard let value = read(name), let number = UInt64(value), number > usual else { return nil }
            return KernelParameter(name: name, value: value)
        }
    }

    private static func value(of name: String) -> String? {
        guard let bytes = try? FileDescriptor.open("/proc/sys/" + name).read(upTo: 64) else { return nil }
        return String(decoding: bytes, as: UTF8.self).words.first.map(String.init)
    }
}

extension GuestConfiguration {
    /// The configuration of a guest that has booted on this host: time, entropy, and the parameters of its kernel.
    static func ofHost(hostname: String) -> GuestConfiguration {
        let now = Timestamp.now()
        var generator = SystemRandomNumberGenerator()
        var configuration = GuestConfiguration(
            hostname: hostname, timeNanoseconds: now.seconds * 1_000_000_000 + now.nanoseconds,
            entropy: (0..<64).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        configuration.kernelParameters = HostKernelParameters.changed()
        configuration.leastKernelParameters = HostKernelParameters.raised()
        return configuration
    }
}
