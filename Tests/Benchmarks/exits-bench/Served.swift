// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import KVM
import Linux

/// The device behind every port and every address: what is read is one more than what was written last.
struct Device {
    private var value: UInt64 = 0
    private(set) var sum: UInt64 = 0

    mutating func write(_ value: UInt64, at address: UInt64) {
        self.value = value
        sum &+= value &+ address
    }

    func read() -> UInt64 { value &+ 1 }
}

/// A vCPU served as the monitor serves one: a loop over what a vCPU gives, whatever kind it is.
///
/// - Returns: what depends on all that was written, or nil at an exit of another kind.
@inline(never)
func serve(_ processor: some VirtualProcessor, _ device: inout Device, exits: Int) throws(KVMError) -> UInt64? {
    var count = 0
    while count < exits {
        switch try processor.run() {
        case .portWrite(let port, _, let elements, let value):
            device.write(UInt64(value), at: UInt64(port))
            for index in 1..<max(1, elements) { device.write(UInt64(processor.element(index)), at: UInt64(port)) }
        case .portRead, .memoryRead:
            processor.answer = device.read()
        case .memoryWrite(let address, _, let value):
            device.write(value, at: address)
        case .interrupted:
            continue
        default:
            return nil
        }
        count += 1
    }
    return device.sum
}

/// A machine of one vCPU with a guest of the benchmark in it.
final class Served {
    private let machine: VirtualMachine
    private let vcpu: VCPU
    private let event: EventFD
    private var device = Device()

    init(_ hypervisor: borrowing Hypervisor, _ guest: Guest) throws {
        let byteCount = 0x10000
        let machine = try hypervisor.makeVirtualMachine()
        let address = try syscall(
            __NR_mmap, 0, byteCount, Int(PROT_READ | PROT_WRITE), Int(MAP_SHARED | MAP_ANONYMOUS), -1, 0)
        for (index, byte) in guest.code.enumerated() {
            // Within the mapping just made, which lasts as long as the program.
            unsafe UnsafeMutableRawPointer(bitPattern: address)?
                .storeBytes(of: byte, toByteOffset: 0x1000 + index, as: UInt8.self)
        }
        try machine.setMemory(
            slot: 0, guestAddress: 0, byteCount: UInt64(byteCount), hostAddress: UInt64(address))
        let event = try EventFD()
        if guest == .signal { try machine.signal(event, onWriteTo: Guest.address, byteCount: 4) }
        let vcpu = try machine.makeVCPU(index: 0)
        var special = try vcpu.specialRegisters()
        special.cs.base = 0
        special.cs.selector = 0
        try vcpu.setSpecialRegisters(special)
        var registers = try vcpu.registers()
        registers.rip = 0x1000
        registers.rflags = 2
        try vcpu.setRegisters(registers)
        self.machine = machine
        self.event = event
        self.vcpu = vcpu
    }

    func serve(exits: Int) throws -> UInt64? {
        try exits_bench.serve(vcpu, &device, exits: exits)
    }

    /// Whether the guest has signalled.
    func isSignalled() -> Bool { event.drain() }
}
