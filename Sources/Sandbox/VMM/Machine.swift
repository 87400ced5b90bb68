import Boot
import KVM
import Linux
import Metrics
import Serial
import Synchronization
import Virtio

/// A machine of our own: memory, processors and devices made of what fc-vmm was handed, and run until it ends.
///
/// This thread serves the devices; each virtual processor has a thread of its own. Everything is opened before the
/// first of them runs.
final class Machine {
    private let arguments: MachineArguments
    private let timeline: BootTimeline
    private let loop: DeviceLoop
    private let ending: MachineEnding
    private let memory: MachineMemory
    private let devices: MachineDevices
    private let serial: Serial
    private let log: SerialLog
    private let processors: [VCPU]
    private let counters: [ExitCounters]

    /// Runs a machine from its beginning to its end.
    ///
    /// - Throws: why it could not be made.
    static func run(_ arguments: MachineArguments) throws(VMMError) -> MachineEnd {
        let machine = try Machine(arguments, BootTimeline())
        return try machine.run()
    }

    private init(_ arguments: MachineArguments, _ timeline: BootTimeline) throws(VMMError) {
        timeline.mark("start")
        let loop = try preparing("device loop") { () throws(Errno) in try DeviceLoop() }
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
            try machine.makeInterruptController()
            return machine
        }
        timeline.mark("machine")
        let serial = try preparing("serial port") { () throws(Errno) in try Serial() }
        try kvm { () throws(KVMError) in try virtualMachine.route(serial.interrupt, to: Serial.interruptLine) }
        let devices = try MachineDevices(
            arguments, memory: memory, virtualMachine: virtualMachine, loop: loop, ending: ending)
        timeline.mark("devices")
        let entry = try booting { () throws(BootError) in
            try BootLoader.load(
                BootSource(
                    kernel: arguments.kernel, initramfs: arguments.initramfs,
                    commandLine: (Boot.CommandLine.platform + [arguments.commandLine]).joined(separator: " ")),
                into: memory.memory, backing: memory.file.rawValue, layout: layout, processors: arguments.vcpuCount,
                devices: (0..<devices.count).compactMap(MachineLayout.slot))
        }
        timeline.mark("kernel")
        let processors = try kvm { () throws(KVMError) in
            let features = try hypervisor.supportedProcessor().offered()
            var processors: [VCPU] = []
            for index in 0..<arguments.vcpuCount {
                let processor = try virtualMachine.makeVCPU(index: index)
                try processor.configure(features, count: arguments.vcpuCount)
                try processor.setModelSpecificRegisters(ModelSpecificRegister.atBoot)
                try processor.connectLocalInterrupts()
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
        self.serial = serial
        self.processors = processors
        log = try SerialLog(serial.output, file: FileDescriptor(owning: arguments.consoleLog))
        counters = processors.map { _ in ExitCounters() }
        self.memory = memory
        for descriptor in [arguments.kernel, arguments.initramfs].compactMap({ $0 }) {
            _ = FileDescriptor(owning: descriptor)
        }
    }

    private func run() throws(VMMError) -> MachineEnd {
        let ending = ending
        try preparing("console") { [loop, log] () throws(Errno) in try loop.add(log) { _ in } }
        let attendance = try Attendance(
            control: arguments.control, log: arguments.log, loop: loop, report: report,
            answer: Orders(devices: devices).answer)
        let bus = DeviceBus(
            transports: devices.transports, serial: serial, power: PowerPorts(memory: memory.memory),
            timeline: timeline)
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
                let directory = FileDescriptor(owning: sockets.directory)
                try Thread.enter(directory: directory.rawValue)
            }
            try loop.run()
        } catch {
            ending.tell(.loop(error))
        }
        threads.end()
        devices.stop()
        log.finish()
        _ = attendance
        return ending.reason ?? .restarted
    }

    private var report: MetricsReport {
        var sections = zip(processors, counters).map { processor, counters in
            MetricsReport.Section(name: "vcpu\(processor.index)") { counters.metrics }
        }
        let serial = serial
        sections.append(MetricsReport.Section(name: "serial") { serial.metrics })
        sections += devices.sections
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

func kvm<Result: ~Copyable>(_ body: () throws(KVMError) -> Result) throws(VMMError) -> Result {
    do { return try body() } catch { throw .kvm(error) }
}

func booting<Result: ~Copyable>(_ body: () throws(BootError) -> Result) throws(VMMError) -> Result {
    do { return try body() } catch { throw .boot(error) }
}
