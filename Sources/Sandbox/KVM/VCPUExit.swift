// SPDX-License-Identifier: Apache-2.0
/// Why a vCPU came out of the guest, api.rst 5. Plain bits: nothing is allocated for an exit.
///
/// An exit of a port or of memory is over with the next run: the data of a read must be there by then.
public enum VCPUExit: Hashable, Sendable, BitwiseCopyable {
    /// IN or INS: `count` elements of `width` bytes (1, 2 or 4) are wanted.
    case portRead(port: UInt16, width: UInt8, count: UInt32)
    /// OUT or OUTS: `count` elements of `width` bytes (1, 2 or 4), of which `value` is the first.
    case portWrite(port: UInt16, width: UInt8, count: UInt32, value: UInt32)
    /// A read where there is no memory: `width` bytes (1 to 8) are wanted.
    case memoryRead(address: UInt64, width: UInt8)
    /// A write where there is no memory, of `width` bytes (1 to 8).
    case memoryWrite(address: UInt64, width: UInt8, value: UInt64)
    /// HLT, in a machine without an interrupt controller: with one, the kernel waits.
    case halt
    /// A triple fault.
    case shutdown
    /// KVM_EXIT_SYSTEM_EVENT, with its type.
    case systemEvent(UInt32)
    /// KVM could not go on, most often with an instruction it had to emulate (1).
    case internalError(suberror: UInt32)
    /// The processor did not take the guest's state.
    case failEntry(reason: UInt64)
    /// A signal, or ``VCPU/stopSoon()``.
    case interrupted
    case debug
    /// An exit this monitor asks for nowhere, by its number.
    case unknown(UInt32)
}
