// SPDX-License-Identifier: Apache-2.0
import Linux

/// fc-proxy, open through a mount of its folder that is read-only and attached nowhere: a process that
/// reaches the program through one that runs it, as by /proc/PID/exe, cannot write to it.
struct ProxyExecutable: ~Copyable {
    let file: FileDescriptor

    init(_ parts: Parts) throws(RuntimeError) {
        func failure(_ errno: Errno) -> RuntimeError { .launch(program: "fc-proxy", operation: "open", errno) }
        file = try wrapping(failure) { () throws(Errno) in
            let folder = try Mount.copy(parts.programs, recursive: false)
            try Mount.setAttributes(at: folder.borrowed, set: .readOnly, propagation: .private)
            return try FileDescriptor.open("fc-proxy", at: folder.borrowed, .path)
        }
    }
}
