// SPDX-License-Identifier: Apache-2.0
import CLinux
import GuestMemory
import Linux
import VhostUser
import Virtio

// The input is what a hostile front-end sends: byte by byte a choice, then raw bytes or a message with the right header
// and a payload from the input, with descriptors or without. Held against it: no trap, the back-end ends when the
// front-end has hung up, the device is left reset, and no descriptor stays open.

/// A device that looks into its queues once and is done: no thread, so every run is the same.
private final class OnceDevice: VirtioDevice {
    let type = VirtioDeviceType.entropy
    let features: UInt64 = 0
    let queueSizes: [UInt16] = [16, 16]
    let configuration: [UInt8] = [1, 2, 3, 4]
    private(set) var isActive = false

    func activate(_ activation: consuming VirtioActivation) throws(VirtioError) {
        precondition(!isActive, "activated twice")
        isActive = true
        for case let queue? in activation.queues {
            while let chain = try? queue.next() {
                _ = try? queue.complete(chain.head, byteCount: 0)
            }
            queue.notify()
        }
    }

    func writeConfiguration(offset: Int, bytes: [UInt8]) {}

    func reset() { isActive = false }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: data, count: byteCount)
    do { try play(input) } catch {}
    return 0
}

/// A page of memory for the messages that carry a file.
private let file: FileDescriptor = {
    let file = try! FileDescriptor.memory(named: "fuzz")
    try! syscall(__NR_ftruncate, file.borrowed.argument, 1 << 16)
    return file
}()
private let event = try! EventFD()

private func play(_ input: UnsafeRawBufferPointer) throws {
    let device = OnceDevice()
    let before = try openDescriptors()
    do {
        let pair = try UnixSocket.pair()
        try send(input, on: pair.first.borrowed)
        try UnixSocket.shutdownWriting(pair.first.borrowed)
        let back = try pair.second.duplicate()
        do {
            let backend = try Backend(device: device, connection: back)
            try backend.serve()
        } catch {}
        precondition(!device.isActive, "the device was left running")
    }
    let after = try openDescriptors()
    precondition(after == before, "a descriptor leaked")
}

/// The lowest number that is free, which a leak would move, but for one behind a gap.
private func openDescriptors() throws -> Int32 {
    let probe = try FileDescriptor.memory(named: "probe")
    return probe.rawValue
}

private func send(_ input: UnsafeRawBufferPointer, on socket: BorrowedDescriptor) throws {
    var rest = input[...]
    var room = 32 << 10
    while let choice = rest.popFirst(), room > 0 {
        var bytes: [UInt8] = []
        let payloadCount: Int
        var descriptors: [BorrowedDescriptor] = []
        if choice & 0x80 == 0 {
            payloadCount = Int(rest.popFirst() ?? 0)
            // Asks for a reply every other time; the request's number is the choice.
            bytes += [choice & 0x3f, 0, 0, 0, choice & 0x40 == 0 ? 1 : 9, 0, 0, 0, UInt8(payloadCount), 0, 0, 0]
            switch rest.popFirst() ?? 0 {
            case 1: descriptors = [file.borrowed]
            case 2: descriptors = [event.descriptor.borrowed]
            case 3: descriptors = [file.borrowed, file.borrowed]
            case let many where many > 0xf0:
                descriptors = .init(repeating: event.descriptor.borrowed, count: Int(many) - 0xf0)
            default: break
            }
        } else {
            payloadCount = Int(choice & 0x7f)
        }
        bytes += rest.prefix(payloadCount)
        rest = rest.dropFirst(payloadCount)
        guard !bytes.isEmpty else { continue }
        room -= bytes.count
        _ = try bytes.withUnsafeBytes { try DescriptorPassing.send($0, descriptors, on: socket) }
    }
}
