// SPDX-License-Identifier: Apache-2.0
/// Runs a compiled filter on one system call, as the kernel's classic BPF machine does (the subset that
/// seccomp(2) takes), so that a test sees verdicts and not instructions.
struct FilterMachine {
    let program: [UInt8]

    struct Call {
        var number: Int32
        /// AUDIT_ARCH_X86_64.
        var architecture: UInt32 = 0xc000_003e
        var arguments: [UInt64] = []
    }

    /// What the filter returns; nil where it does something a seccomp filter must not.
    func verdict(_ call: Call) -> UInt32? {
        var data = [UInt8](repeating: 0, count: 64)
        put(UInt32(bitPattern: call.number), at: 0, in: &data)
        put(call.architecture, at: 4, in: &data)
        for (index, argument) in call.arguments.enumerated() {
            put(UInt32(truncatingIfNeeded: argument), at: 16 + 8 * index, in: &data)
            put(UInt32(truncatingIfNeeded: argument >> 32), at: 20 + 8 * index, in: &data)
        }
        var accumulator: UInt32 = 0
        var counter = 0
        while counter * 8 + 8 <= program.count {
            let at = counter * 8
            let code = UInt16(program[at]) | UInt16(program[at + 1]) << 8
            let (whenTrue, whenFalse) = (Int(program[at + 2]), Int(program[at + 3]))
            let k = get(at + 4, in: program)
            counter += 1
            switch code {
            case 0x20:
                guard k % 4 == 0, k <= 60 else { return nil }
                accumulator = get(Int(k), in: data)
            case 0x05: counter += Int(k)
            case 0x15: counter += accumulator == k ? whenTrue : whenFalse
            case 0x25: counter += accumulator > k ? whenTrue : whenFalse
            case 0x35: counter += accumulator >= k ? whenTrue : whenFalse
            case 0x45: counter += accumulator & k != 0 ? whenTrue : whenFalse
            case 0x54: accumulator &= k
            case 0x06: return k
            default: return nil
            }
        }
        return nil
    }

    private func put(_ value: UInt32, at offset: Int, in bytes: inout [UInt8]) {
        for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    }

    private func get(_ offset: Int, in bytes: [UInt8]) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * $1) }
    }
}
