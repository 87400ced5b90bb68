// SPDX-License-Identifier: Apache-2.0
import Boot
import Glibc
import GuestMemory
import Linux

/// Memory of a guest to be, and the file behind it.
final class Guest {
    let layout: MachineLayout
    let file: FileDescriptor
    let memory: GuestMemory

    init(byteCount: UInt64 = 64 << 20) throws {
        layout = try MachineLayout(memoryByteCount: byteCount)
        file = try FileDescriptor.memory(named: "guest")
        guard ftruncate(file.rawValue, Int(byteCount)) == 0 else { throw Errno(rawValue: errno) }
        memory = try GuestMemory(layout.pieces(of: file.borrowed))
    }

    func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type = Value.self, at address: UInt64
    ) throws -> Value {
        try memory.slice(at: GuestAddress(rawValue: address), byteCount: UInt64(Value.bitWidth / 8)).load(at: 0)
    }

    func bytes(at address: UInt64, _ count: Int) throws -> [UInt8] {
        try memory.slice(at: GuestAddress(rawValue: address), byteCount: UInt64(count)).bytes()
    }

    /// The bytes up to a NUL.
    func text(at address: UInt64) throws -> String {
        var (bytes, next): ([UInt8], UInt64) = ([], address)
        while true {
            let byte: UInt8 = try integer(at: next)
            if byte == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
            next += 1
        }
    }

    /// Loads `kernel`, given as bytes, and what goes with it.
    @discardableResult
    func load(
        _ kernel: [UInt8], initramfs: [UInt8]? = nil, commandLine: String = "", entry: BootSource.Entry = .automatic,
        processors: Int = 1, devices: [DeviceSlot] = [], throughFile: Bool = false
    ) throws -> EntryState {
        let kernel = try memoryFile(kernel)
        let archive = try memoryFile(initramfs ?? [])
        return try BootLoader.load(
            BootSource(
                kernel: kernel.borrowed, initramfs: initramfs == nil ? nil : archive.borrowed,
                commandLine: commandLine, entry: entry),
            into: memory, backing: throughFile ? file.borrowed : nil, layout: layout, processors: processors,
            devices: devices)
    }
}

func memoryFile(_ bytes: [UInt8]) throws -> FileDescriptor {
    let file = try FileDescriptor.memory(named: "image")
    try file.writeAll(bytes)
    return file
}

func slots(_ count: Int) -> [DeviceSlot] { (0..<count).map { MachineLayout.slot($0)! } }

/// Little-endian bytes.
func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

extension [UInt8] {
    mutating func set<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
        for (index, byte) in bytes(value).enumerated() { self[offset + index] = byte }
    }

    func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self, at offset: Int) -> Value {
        (0..<Value.bitWidth / 8).reduce(0) { $0 | Value(truncatingIfNeeded: self[offset + $1]) << (8 * $1) }
    }
}
