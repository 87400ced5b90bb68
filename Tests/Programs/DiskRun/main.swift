// SPDX-License-Identifier: Apache-2.0
import Engine
import Linux
import Sandbox
import SandboxPlan

// disk-run INSTALLATION GUEST STATE BUNDLE ID IMAGE TYPE OPTIONS: a container whose root is on an image or a block
// device, in the foreground. The command line of fc-runc has no word for one: who makes containers with disks is a
// client's shim. INSTALLATION is laid out as below a prefix, GUEST holds vmlinux and initramfs.cpio.

let words = CommandLine.arguments
guard words.count == 9 else { Process.exitNow(64) }
let options = RuntimeOptions(
    root: words[3], engine: .auto,
    parts: Parts(
        programs: words[1] + "/libexec/fc-runc", kernel: words[2] + "/vmlinux",
        initramfs: words[2] + "/initramfs.cpio", qemu: "/usr/bin/qemu-system-x86_64"),
    memoryByteCount: 256 << 20, vcpuCount: 1, podMemoryByteCount: 512 << 20, podVCPUCount: 1, bootTimeoutSeconds: 100,
    log: { _, _ in })
var request = CreateRequest(id: words[5], bundle: words[4])
request.rootDisk = RootDisk(path: words[6], type: words[7], options: words[8].split(separator: ",").map(String.init))
do throws(RuntimeError) {
    Process.exitNow(try Runtime(options).run(RunRequest(create: request)))
} catch {
    let standardError = FileDescriptor(owning: 2)
    try? standardError.writeAll(Array("\(error)\n".utf8))
    Process.exitNow(125)
}
