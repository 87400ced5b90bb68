// SPDX-License-Identifier: Apache-2.0
/// What a guest of the benchmark does for ever, in real mode.
enum Guest: CaseIterable {
    case port
    case memory
    case signal

    /// Where the guest writes to no memory.
    static let address: UInt64 = 0xa0050

    var name: String {
        switch self {
        case .port: "exits through a port"
        case .memory: "exits through memory"
        case .signal: "writes that signal"
        }
    }

    /// What is counted: of the guest that signals, an exit tells of so many writes.
    var eventsPerExit: Int { self == .signal ? 1000 : 1 }
    var exitsPerRound: Int { self == .signal ? 3 : 2000 }

    var code: [UInt8] {
        switch self {
        case .port:
            [
                0xba, 0xf8, 0x03,  // mov dx, 0x3f8
                0xee, 0xec,  // out dx, al; in al, dx
                0xeb, 0xfc,  // jmp to out
            ]
        case .memory:
            [
                0xb8, 0x00, 0xa0, 0x8e, 0xd8,  // mov ax, 0xa000; mov ds, ax
                0x66, 0xa3, 0x50, 0x00,  // mov [0x50], eax
                0x66, 0xa1, 0x50, 0x00,  // mov eax, [0x50]
                0xeb, 0xf6,  // jmp to the first mov to memory
            ]
        case .signal:
            [
                0xb8, 0x00, 0xa0, 0x8e, 0xd8,  // mov ax, 0xa000; mov ds, ax
                0xb9, 0xe8, 0x03,  // mov cx, 1000
                0x66, 0xa3, 0x50, 0x00,  // mov [0x50], eax
                0xe2, 0xfa,  // loop to it
                0xe6, 0x80,  // out 0x80, al
                0xeb, 0xf3,  // jmp to mov cx
            ]
        }
    }
}
