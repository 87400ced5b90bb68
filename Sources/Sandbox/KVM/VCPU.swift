// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// One vCPU, used by one thread at a time: its maker may hand it to the thread that runs it. Others
/// stop it through its ``interrupter``.
public final class VCPU: VirtualProcessor {
    /// Its number, and its APIC's.
    public let index: Int
    /// For other threads.
    public let interrupter: VCPUInterrupter

    let descriptor: FileDescriptor
    let extendedStateByteCount: Int
    private let area: RunArea
    private var isBound = false

    // Where the data of the last exit is, checked to lie within the area.
    private var dataOffset = CL_RUN_MMIO_DATA
    private var elementWidth: UInt8 = 0
    private var elementCount: UInt32 = 0

    init(index: Int, _ descriptor: consuming FileDescriptor, _ area: RunArea, extendedStateByteCount: Int) {
        self.index = index
        self.descriptor = descriptor
        self.area = area
        self.extendedStateByteCount = extendedStateByteCount
        interrupter = VCPUInterrupter(area)
    }

    /// As ``VCPUInterrupter/stopSoon()``.
    public func stopSoon() { interrupter.stopSoon() }

    /// KVM_RUN, api.rst 4.10. The first call ties the vCPU to the calling thread.
    public func run() throws(KVMError) -> VCPUExit {
        if !isBound {
            interrupter.bindToThisThread()
            isBound = true
        }
        elementCount = 0
        while true {
            let result = cl_syscall(
                Int(__NR_ioctl), descriptor.borrowed.argument, Int(bitPattern: CL_KVM_RUN), 0, 0, 0, 0)
            if result == 0 { return try exit() }
            switch Errno(rawValue: Int32(truncatingIfNeeded: -result)) {
            case .interrupted:
                interrupter.noteInterrupted()
                return .interrupted
            case .wouldBlock:
                // A processor that waited to be started, and was.
                continue
            case let error:
                throw .run(vcpu: index, error)
            }
        }
    }

    private func exit() throws(KVMError) -> VCPUExit {
        let reason = area.load(CL_RUN_EXIT_REASON, as: UInt32.self)
        switch Int32(truncatingIfNeeded: reason) {
        case KVM_EXIT_MMIO: return memoryExit()
        case KVM_EXIT_IO: return try portExit()
        case KVM_EXIT_HLT: return .halt
        case KVM_EXIT_SHUTDOWN: return .shutdown
        case KVM_EXIT_INTR: return .interrupted
        case KVM_EXIT_DEBUG: return .debug
        case KVM_EXIT_SYSTEM_EVENT:
            return .systemEvent(area.load(CL_RUN_SYSTEM_EVENT, as: UInt32.self))
        case KVM_EXIT_INTERNAL_ERROR:
            return .internalError(suberror: area.load(CL_RUN_INTERNAL_SUBERROR, as: UInt32.self))
        case KVM_EXIT_FAIL_ENTRY:
            return .failEntry(reason: area.load(CL_RUN_ENTRY_FAILURE, as: UInt64.self))
        default: return .unknown(reason)
        }
    }

    private func memoryExit() -> VCPUExit {
        let address = area.load(CL_RUN_MMIO_ADDRESS, as: UInt64.self)
        let width = UInt8(min(area.load(CL_RUN_MMIO_BYTE_COUNT, as: UInt32.self), 8))
        dataOffset = CL_RUN_MMIO_DATA
        elementWidth = 8
        elementCount = 1
        guard area.load(CL_RUN_MMIO_IS_WRITE, as: UInt8.self) == 0 else {
            let bytes = area.load(dataOffset, as: UInt64.self)
            let value = width == 8 ? bytes : bytes & (1 &<< (UInt64(width) &* 8) &- 1)
            return .memoryWrite(address: address, width: width, value: value)
        }
        area.store(0 as UInt64, at: dataOffset)
        return .memoryRead(address: address, width: width)
    }

    private func portExit() throws(KVMError) -> VCPUExit {
        let width = area.load(CL_RUN_IO_SIZE, as: UInt8.self)
        let count = area.load(CL_RUN_IO_COUNT, as: UInt32.self)
        let port = area.load(CL_RUN_IO_PORT, as: UInt16.self)
        let offset = area.load(CL_RUN_IO_DATA_OFFSET, as: UInt64.self)
        let byteCount = UInt64(width) &* UInt64(count)
        guard width == 1 || width == 2 || width == 4, offset <= UInt64(area.byteCount),
            byteCount <= UInt64(area.byteCount) &- offset
        else { throw .exitData(vcpu: index, offset: offset, byteCount: byteCount) }
        dataOffset = Int(offset)
        elementWidth = width
        elementCount = count
        if area.load(CL_RUN_IO_DIRECTION, as: UInt8.self) == UInt8(KVM_EXIT_IO_OUT) {
            return .portWrite(port: port, width: width, count: count, value: element(0))
        }
        answer = 0
        return .portRead(port: port, width: width, count: count)
    }

    /// As ``VirtualProcessor/answer``.
    public var answer: UInt64 {
        get {
            guard elementCount > 0 else { return 0 }
            return elementWidth == 8 ? area.load(dataOffset, as: UInt64.self) : UInt64(element(0))
        }
        set {
            if elementWidth == 8 {
                // All eight bytes are the exit's; the guest takes as many as it asked for.
                if elementCount > 0 { area.store(newValue, at: dataOffset) }
            } else {
                for index in 0..<elementCount { setElement(index, UInt32(truncatingIfNeeded: newValue)) }
            }
        }
    }

    /// As ``VirtualProcessor/element(_:)``.
    public func element(_ index: UInt32) -> UInt32 {
        guard index < elementCount else { return 0 }
        let offset = dataOffset &+ Int(index) &* Int(elementWidth)
        switch elementWidth {
        case 1: return UInt32(area.load(offset, as: UInt8.self))
        case 2: return UInt32(area.load(offset, as: UInt16.self))
        default: return area.load(offset, as: UInt32.self)
        }
    }

    /// As ``VirtualProcessor/setElement(_:_:)``.
    public func setElement(_ index: UInt32, _ value: UInt32) {
        guard index < elementCount else { return }
        let offset = dataOffset &+ Int(index) &* Int(elementWidth)
        switch elementWidth {
        case 1: area.store(UInt8(truncatingIfNeeded: value), at: offset)
        case 2: area.store(UInt16(truncatingIfNeeded: value), at: offset)
        default: area.store(value, at: offset)
        }
    }
}
