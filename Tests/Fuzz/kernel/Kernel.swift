// SPDX-License-Identifier: Apache-2.0
import CLinux
import Boot
import GuestMemory
import Linux

// The input is a kernel file. Held against it: no trap; what is refused has left memory untouched, and what is taken
// begins in memory that is the kernel's, with our own tables whole.
//
// Input: byte 0 chooses the entry and whether an initramfs comes along, the rest is the file.

private let byteCount: UInt64 = 64 << 20

private let layout = try! MachineLayout(memoryByteCount: byteCount)
private let image = try! FileDescriptor.memory(named: "kernel")
private let archive: FileDescriptor = {
    let file = try! FileDescriptor.memory(named: "initramfs")
    try! file.writeAll([UInt8](repeating: 1, count: 5000))
    return file
}()

/// ftruncate(2): what was beyond is zeros when it comes back.
private func resize(_ file: borrowing FileDescriptor, to byteCount: Int) {
    let number = file.borrowed.argument
    _ = try! syscall(__NR_ftruncate, number, byteCount)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    guard let data, byteCount >= 1 else { return 0 }
    let input = UnsafeRawBufferPointer(start: data, count: byteCount)
    resize(image, to: 0)
    try! image.rewind()
    try! image.writeAll(Array(input.dropFirst()))
    boot(input[0])
    return 0
}

private func boot(_ choice: UInt8) {
    // Fresh for each run: Boot counts on zeros.
    let file = try! FileDescriptor.memory(named: "guest")
    resize(file, to: Int(byteCount))
    let memory = try! GuestMemory(layout.pieces(of: file.borrowed))
    let entries: [BootSource.Entry] = [.automatic, .pvh, .linux64]
    let (kernel, initramfs, backing) = (image.borrowed, archive.borrowed, file.borrowed)
    let source = BootSource(
        kernel: kernel, initramfs: choice & 4 == 0 ? nil : initramfs, commandLine: "console=ttyS0",
        entry: entries[Int(choice & 3) % 3])
    do {
        let state = try BootLoader.load(
            source, into: memory, backing: choice & 8 == 0 ? nil : backing, layout: layout, processors: 2,
            devices: [MachineLayout.slot(0)!])
        precondition(state.rip >= 0x10_0000 && state.rip < byteCount)
        let root = try! memory.slice(at: GuestAddress(rawValue: 0xe_0000), byteCount: 36).bytes()
        precondition(root.prefix(8).elementsEqual("RSD PTR ".utf8) && root.reduce(0, &+) == 0)
        precondition(EndReason.afterReset(memory) == .restart)
    } catch {
        precondition(!error.description.isEmpty && !error.stage.isEmpty)
        // SEEK_DATA finds none in a file that was never written.
        let data = try? syscall(8, backing.argument, 0, 3)
        precondition(data == nil)
    }
}
