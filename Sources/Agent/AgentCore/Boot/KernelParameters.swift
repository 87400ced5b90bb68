// SPDX-License-Identifier: Apache-2.0
import Linux
import SandboxPlan

/// Parameters of the guest's whole kernel, below /proc/sys, that are to be as the host's. A kernel that lacks one, or does
/// not take the value, keeps what it has: the host's are wishes, where the document's are orders.
enum KernelParameters {
    static func set(_ parameters: [KernelParameter]) {
        for parameter in parameters { write(parameter.value, to: parameter.name) }
    }

    /// Numbers that the kernel derives from its memory, or that are larger here for another reason, stay.
    static func raise(_ parameters: [KernelParameter]) {
        for parameter in parameters {
            guard let wanted = UInt64(parameter.value), let bytes = try? open(parameter.name, []).read(upTo: 64),
                let own = String(decoding: bytes, as: UTF8.self).words.first.flatMap({ UInt64($0) }), own < wanted
            else { continue }
            write(parameter.value, to: parameter.name)
        }
    }

    private static func write(_ value: String, to name: String) {
        try? open(name, .writeOnly).writeAll(Array(value.utf8))
    }

    private static func open(_ name: String, _ flags: OpenOptions) throws(Errno) -> FileDescriptor {
        try FileDescriptor.open("/proc/sys/" + name, flags)
    }
}
