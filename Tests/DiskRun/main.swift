import Engine
import Linux
import Sandbox

// disk-run PARTS STATE BUNDLE ID IMAGE TYPE OPTIONS: a container whose root is on an image or a block device, in the
// foreground. The command line of fc-runc has no word for one: who makes containers with disks is a client's shim.
// PARTS is laid out as an installation, ENGINE in the environment is the engine.

let words = CommandLine.arguments
guard words.count == 8 else { Process.exitNow(64) }
let guest = words[1] + "/lib/fc-runc/guest/trimmed"
let options = RuntimeOptions(
    root: words[2], engine: .auto,
    parts: Parts(
        programs: words[1] + "/libexec/fc-runc", kernel: guest + "/vmlinux", initramfs: guest + "/initramfs.cpio",
        qemu: "/usr/bin/qemu-system-x86_64"),
    memoryByteCount: 256 << 20, vcpuCount: 1, bootTimeoutSeconds: 100, log: { _, _ in })
var request = CreateRequest(id: words[4], bundle: words[3])
request.rootDisk = RootDisk(path: words[5], type: words[6], options: words[7].split(separator: ",").map(String.init))
do throws(RuntimeError) {
    Process.exitNow(try Runtime(options).run(RunRequest(create: request)))
} catch {
    let standardError = FileDescriptor(owning: 2)
    try? standardError.writeAll(Array("\(error)\n".utf8))
    Process.exitNow(125)
}
