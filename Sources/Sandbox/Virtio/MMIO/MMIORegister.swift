// SPDX-License-Identifier: Apache-2.0
/// The registers of a device, by their offset, virtio 1.2 §4.2.2 table 4.1. Each is 32 bits wide.
enum MMIORegister {
    static let magic: UInt64 = 0x000
    static let version: UInt64 = 0x004
    static let deviceType: UInt64 = 0x008
    static let vendor: UInt64 = 0x00c
    static let deviceFeatures: UInt64 = 0x010
    static let deviceFeaturesSelect: UInt64 = 0x014
    static let driverFeatures: UInt64 = 0x020
    static let driverFeaturesSelect: UInt64 = 0x024
    static let queueSelect: UInt64 = 0x030
    static let queueSizeLimit: UInt64 = 0x034
    static let queueSize: UInt64 = 0x038
    static let queueReady: UInt64 = 0x044
    static let queueNotify: UInt64 = 0x050
    static let interruptStatus: UInt64 = 0x060
    static let interruptAcknowledge: UInt64 = 0x064
    static let status: UInt64 = 0x070
    static let queueDescriptorsLow: UInt64 = 0x080
    static let queueDescriptorsHigh: UInt64 = 0x084
    static let queueAvailableLow: UInt64 = 0x090
    static let queueAvailableHigh: UInt64 = 0x094
    static let queueUsedLow: UInt64 = 0x0a0
    static let queueUsedHigh: UInt64 = 0x0a4
    static let sharedMemoryLengthLow: UInt64 = 0x0b0
    static let sharedMemoryLengthHigh: UInt64 = 0x0b4
    static let sharedMemoryBaseLow: UInt64 = 0x0b8
    static let sharedMemoryBaseHigh: UInt64 = 0x0bc
    static let configurationGeneration: UInt64 = 0x0fc
    static let configuration: UInt64 = 0x100
}

/// The device status field, virtio 1.2 §2.1.
struct DeviceStatus: OptionSet {
    let rawValue: UInt8

    static let acknowledge = DeviceStatus(rawValue: 1)
    static let driver = DeviceStatus(rawValue: 2)
    static let driverOK = DeviceStatus(rawValue: 4)
    static let featuresOK = DeviceStatus(rawValue: 8)
    static let needsReset = DeviceStatus(rawValue: 64)
    static let failed = DeviceStatus(rawValue: 128)

    /// Those the driver sets.
    static let ofDriver: DeviceStatus = [.acknowledge, .driver, .featuresOK, .driverOK, .failed]
}

/// Why a device wants the driver's attention, virtio 1.2 §4.2.2, InterruptStatus.
enum InterruptReason {
    static let usedBuffer: UInt32 = 1
    static let configuration: UInt32 = 2
}

/// What the driver has written of one queue.
struct QueueRegisters {
    /// As written: it is held against the rules when the driver is ready.
    var size: UInt32 = 0
    var isReady = false
    var descriptors: UInt64 = 0
    var available: UInt64 = 0
    var used: UInt64 = 0
}

/// What the driver has set up of the device so far, and selected to look at.
struct MMIOControl {
    var deviceFeaturesSelect: UInt32 = 0
    var driverFeaturesSelect: UInt32 = 0
    var driverFeatures: UInt64 = 0
    var queueSelect: UInt32 = 0
    var queues: [QueueRegisters]
    /// The machine has ended.
    var isStopped = false

    init(queueCount: Int) {
        queues = [QueueRegisters](repeating: QueueRegisters(), count: queueCount)
    }

    /// The index of the selected queue, or nil if the device has no such queue.
    var selectedQueue: Int? { queueSelect < UInt32(queues.count) ? Int(queueSelect) : nil }

    /// Back to the beginning, virtio 1.2 §4.2.2.1.
    mutating func reset() { self = MMIOControl(queueCount: queues.count) }

    /// Takes half of the driver's features. There are none beyond the first 64.
    mutating func writeFeatures(_ half: UInt32) {
        switch driverFeaturesSelect {
        case 0: driverFeatures = driverFeatures & ~0xffff_ffff | UInt64(half)
        case 1: driverFeatures = driverFeatures & 0xffff_ffff | UInt64(half) << 32
        default: break
        }
    }

    /// Takes a register of the selected queue, unless the queue is ready: then its place is settled.
    ///
    /// - Returns: whether there is such a register and it may be written.
    mutating func writeQueue(_ register: UInt64, _ value: UInt32) -> Bool {
        guard let index = selectedQueue else { return false }
        if register == MMIORegister.queueReady {
            guard value <= 1 else { return false }
            queues[index].isReady = value == 1
            return true
        }
        guard !queues[index].isReady else { return false }
        switch register {
        case MMIORegister.queueSize: queues[index].size = value
        case MMIORegister.queueDescriptorsLow: Self.setLow(&queues[index].descriptors, value)
        case MMIORegister.queueDescriptorsHigh: Self.setHigh(&queues[index].descriptors, value)
        case MMIORegister.queueAvailableLow: Self.setLow(&queues[index].available, value)
        case MMIORegister.queueAvailableHigh: Self.setHigh(&queues[index].available, value)
        case MMIORegister.queueUsedLow: Self.setLow(&queues[index].used, value)
        case MMIORegister.queueUsedHigh: Self.setHigh(&queues[index].used, value)
        default: return false
        }
        return true
    }

    private static func setLow(_ address: inout UInt64, _ half: UInt32) {
        address = address & ~0xffff_ffff | UInt64(half)
    }

    private static func setHigh(_ address: inout UInt64, _ half: UInt32) {
        address = address & 0xffff_ffff | UInt64(half) << 32
    }
}
