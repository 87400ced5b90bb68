// SPDX-License-Identifier: Apache-2.0
import Boot
import KVM
import Linux
import ProgramArguments
import Synchronization
import Virtio

/// A machine of our own: memory, processors and devices made of what fc-vmm was handed, and run until it ends.
///
/// This thread serves the devices; each virtual processor has a thread of its own. Everything is opened before the
/// first of them runs.
final class KVMMachine {
    private let arguments: MachineArguments
    private let timeline: BootTimeline
    private let loop: DeviceLoop
    private let ending: MachineEnding
    private let memory: MachineMemory
    private let devices: DeviceTable
    private let slots: MMIOSlots
    private let platform: PlatformDevices
    private let log: SerialLog
    private let processors: [VCPU]
    private let counters: [ExitCounters]

    /// Runs a machine from its beginning to its end.
    ///
    /// - Throws: why it could not be made.
    static func run(_ arguments: MachineArguments) throws(VMMError) -> MachineEnd {
        let machine = try KVMMachine(arguments, BootTimeline())
        return try machine.run()
    }

    private init(_ arguments: MachineArguments, _ timeline: BootTimeline) throws(VMMError) {
        timeline.mark("start")
        let loop = try preparing("device loop", try DeviceLoop())
        let ending = MachineEnding { loop.stop() }
        let layout = try booting { () throws(BootError) in
            try MachineLayout(memoryByteCount: arguments.memoryByteCount)
        }
        let memory = try MachineMemory(layout)
        let hypervisor = try kvm { () throws(KVMError) in try Hypervisor(FileDescriptor(owning: arguments.kvm)) }
        let virtualMachine = try kvm { () throws(KVMError) in
            let machine = try hypervisor.makeVirtualMachine()
            for (slot, region) in memory.memory.regions.enumerated() {
                try machine.setMemory(
                    slot: UInt32(slot), guestAddress: region.start.rawValue, byteCount: region.byteCount,
                    hostAddress: region.hostAddress)
            }
            try GuestProcessors.prepare(machine)
            return machine
        }
        timeline.mark("machine")
        let platform = try preparing("serial port", try PlatformDevices(memory: memory.memory, timeline: timeline))
        try kvm { () throws(KVMError) in try platform.connect(to: virtualMachine) }
        let devices = try DeviceTable(arguments, memory: memory.pieces, loop: loop)
        let slots = try MMIOSlots(memory: memory, virtualMachine: virtualMachine, ending: ending)
        for device in devices.all { try slots.add(device) }
        timeline.mark("devices")
        let entry = try booting { () throws(BootError) in
            try layout.load(
                BootSource(
                    kernel: BorrowedDescriptor(rawValue: arguments.kernel),
                    initramfs: arguments.initramfs.map { BorrowedDescriptor(rawValue: $0) },
                    commandLine: (MachineLayout.kernelArguments + [arguments.commandLine]).joined(separator: " ")),
                into: memory.memory, backing: memory.file.borrowed, processors: arguments.vcpuCount,
                devices: slots.taken)
        }
        timeline.mark("kernel")
        let processors = try kvm { () throws(KVMError) in
            let platform = try GuestProcessors(hypervisor)
            var processors: [VCPU] = []
            for index in 0..<arguments.vcpuCount {
                let processor = try virtualMachine.makeVCPU(index: index)
                try platform.configure(processor, count: arguments.vcpuCount)
                processors.append(processor)
            }
            try processors[0].enter(entry)
            return processors
        }
        timeline.mark("processors")
        self.arguments = arguments
        self.timeline = timeline
        self.loop = loop
        self.ending = ending
        self.devices = devices
        self.slots = slots
        self.platform = platform
        self.processors = processors
        log = try SerialLog(platform.serial.output, file: FileDescriptor(owning: arguments.consoleLog))
        counters = processors.map { _ in ExitCounters() }
        self.memory = memory
        for descriptor in [arguments.kernel, arguments.initramfs].compactMap({ $0 }) {
            _ = FileDescriptor(owning: descriptor)
        }
    }

    private func run() throws(VMMError) -> MachineEnd {
        let ending = ending
        try preparing("console", try loop.add(log) { _ in })
        let control = try MonitorControl(
            control: arguments.control.map { FileDescriptor(owning: $0) },
            log: BorrowedDescriptor(rawValue: arguments.log), loop: loop, report: report,
            answer: ControlCommands(devices: devices).answer)
        let bus = DeviceBus(transports: slots.transports, platform: platform)
        var threads = ProcessorThreads(processors.map(\.interrupter))
        timeline.mark("run")
        do throws(Errno) {
            for (processor, counters) in zip(processors, counters) {
                let body = VCPULoop(
                    index: processor.index, processor: processor, bus: bus, counters: counters, ending: ending)
                try threads.start(named: "vcpu\(processor.index)") { if let end = body.run() { ending.tell(end) } }
            }
            if let sockets = arguments.sockets {
                // The host's ports are there; nothing else is looked up by name.
                try Thread.enter(directory: sockets.directory)
            }
            try loop.run()
        } catch {
            ending.tell(.loop(error))
        }
        threads.end()
        slots.stop()
        log.finish()
        _ = control
        return ending.reason ?? .restarted
    }

    private var report: MetricsReport {
        var sections = zip(processors, counters).map { processor, counters in
            MetricsReport.Section(name: "vcpu\(processor.index)", of: [counters])
        }
        sections.append(MetricsReport.Section(name: "serial", of: [platform.serial]))
        sections += slots.sections
        return MetricsReport(timeline: timeline, sections: sections)
    }
}

/// The threads of the virtual processors.
private struct ProcessorThreads: ~Copyable {
    private let interrupters: [VCPUInterrupter]
    private var threads: [ProcessorThread] = []

    private final class ProcessorThread {
        var thread: Thread?
        init(_ thread: consuming Thread) { self.thread = consume thread }
    }

    init(_ interrupters: [VCPUInterrupter]) { self.interrupters = interrupters }

    mutating func start(named name: String, _ body: sending @escaping () -> Void) throws(Errno) {
        threads.append(ProcessorThread(try Thread(named: name, body)))
    }

    /// Has every processor leave the guest, and waits for its thread. The machine's end was told before: what is
    /// interrupted does not go on.
    consuming func end() {
        for interrupter in interrupters { interrupter.stopSoon() }
        for thread in threads { thread.thread.take()?.join() }
    }
}

// MARK: One word for each way a machine's making can fail

func preparing<Result: ~Copyable>(
    _ operation: String, _ body: () throws(Errno) -> Result
) throws(VMMError) -> Result {
    do { return try body() } catch { throw .prepare(operation: operation, error) }
}

func preparing<Result: ~Copyable>(
    _ operation: String, _ body: @autoclosure () throws(Errno) -> Result
) throws(VMMError) -> Result {
    do { return try body() } catch { throw .prepare(operation: operation, error) }
}

func kvm<Result: ~Copyable>(_ body: () throws(KVMError) -> Result) throws(VMMError) -> Result {
    do { return try body() } catch { throw .kvm(error) }
}

func booting<Result: ~Copyable>(_ body: () throws(BootError) -> Result) throws(VMMError) -> Result {
    do { return try body() } catch { throw .boot(error) }
}
