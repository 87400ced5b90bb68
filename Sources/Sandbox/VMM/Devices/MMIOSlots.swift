// SPDX-License-Identifier: Apache-2.0
import Boot
import KVM
import Linux
import Virtio

/// The devices of a machine of our own, each behind its registers in a slot of the guest's address space.
final class MMIOSlots {
    /// By slot.
    private(set) var transports: [MMIOTransport] = []
    /// What each device, and its transport, have counted.
    private(set) var sections: [MetricsReport.Section] = []
    private let memory: MachineMemory
    private let virtualMachine: VirtualMachine
    private let ending: MachineEnding
    /// Takes the acknowledgements of interrupts that say nothing: the kernel signals it, and nobody looks.
    private let acknowledged: EventFD

    /// - Parameter ending: where the end of a device is reported that the machine is of no use without.
    init(memory: MachineMemory, virtualMachine: VirtualMachine, ending: MachineEnding) throws(VMMError) {
        self.memory = memory
        self.virtualMachine = virtualMachine
        self.ending = ending
        acknowledged = try preparing("eventfd", try EventFD())
    }

    /// Those that are taken, as the guest's tables describe them.
    var taken: [DeviceSlot] { transports.indices.compactMap(MachineLayout.slot) }

    /// Gives `device` the next slot: registers, an interrupt, and a signal for each of its queues.
    func add(_ device: MachineDevice) throws(VMMError) {
        guard let slot = MachineLayout.slot(transports.count) else {
            throw .tooManyDevices(limit: MachineLayout.maximumDevices)
        }
        let (name, isVital, ending) = (device.name, device.isVital, ending)
        let interrupt = try preparing(name, try EventFD())
        try kvm { () throws(KVMError) in try virtualMachine.route(interrupt, to: slot.gsi) }
        let transport: MMIOTransport
        do {
            transport = try MMIOTransport(
                device: device.device, memory: memory.memory, interrupt: interrupt
            ) { error in
                if isVital { ending.tell(.device(name: name, error)) }
            }
        } catch {
            throw .prepare(operation: name, error)
        }
        for (index, notification) in transport.notifications.enumerated() {
            let kick = try preparing(name, EventFD(owning: try notification.duplicate()))
            try kvm { () throws(KVMError) in
                try virtualMachine.signal(
                    kick, onWriteTo: slot.address + MMIOTransport.notifyOffset, byteCount: 4, value: UInt64(index))
            }
        }
        try kvm { () throws(KVMError) in
            try virtualMachine.signal(
                acknowledged, onWriteTo: slot.address + MMIOTransport.acknowledgeOffset, byteCount: 4,
                value: UInt64(MMIOTransport.usedBufferAcknowledgement))
        }
        transports.append(transport)
        sections.append(MetricsReport.Section(name: name, of: device.counters + [transport]))
    }

    /// The machine has ended: no device touches the guest's memory any more when this returns.
    func stop() { for transport in transports { transport.stop() } }
}
