import CLinux
import Cgroup
import Engine
import Glibc
import Jailer
import Linux
import OCISpec
import Planning
import RuntimeState
import SandboxPlan

extension Runtime {
    /// Starts the sandbox of a container, and waits until its agent is ready. What becomes known on the way is
    /// noted in `record`, so that a failure can be cleaned up after, by this process or another.
    ///
    /// - Returns: the lifeline: the sandbox lives for as long as a copy of this descriptor is open.
    func launch(
        _ bundle: Bundle, _ plan: BundlePlan, _ engine: any Engine, _ record: inout ContainerRecord,
        _ directory: borrowing ContainerDirectory
    ) throws(RuntimeError) -> FileDescriptor {
        let files = SandboxFiles(directory: directory.path)
        let pod = try podResources(bundle.spec)
        let machine = try machinePlan(plan, pod)
        record.machine = machineRecord(machine, engine, plan, pod, try role(bundle.spec))
        let network = try NetworkNamespace.open(bundle.spec)
        let cgroup = try makeCgroup(bundle.spec, plan, pod, &record)
        try note(record, directory)
        let ready = try readyListener(files)
        let lifeline = try pipe("lifeline")
        try startJail(
            plan, machine, engine, files, id: record.id, cgroup: cgroup, network: Self.number(of: network),
            lifeline: lifeline.reader.rawValue)
        let supervisor = try supervisor(files)
        record.supervisor = supervisor
        try note(record, directory)
        try awaitAgent(ready.rawValue, supervisor, files)
        return Self.writer(of: lifeline)
    }

    func note(_ record: ContainerRecord, _ directory: borrowing ContainerDirectory) throws(RuntimeError) {
        try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in try directory.write(record) }
    }

    static func number(of descriptor: borrowing FileDescriptor?) -> Int32? {
        switch descriptor {
        case .some(let descriptor): descriptor.rawValue
        case .none: nil
        }
    }

    private static func writer(of pipe: consuming Pipe) -> FileDescriptor { pipe.writer }

    private func pipe(_ name: String) throws(RuntimeError) -> Pipe {
        try wrapping({ .launch(program: "fc-jailer", operation: name, $0) }) { () throws(Errno) in
            try FileDescriptor.pipe()
        }
    }

    /// What the pod may use of which `spec` makes the sandbox; nil for a container alone.
    private func podResources(_ spec: Spec) throws(RuntimeError) -> PodResources? {
        guard case .sandbox = try role(spec) else { return nil }
        return try wrapping(RuntimeError.planning) { () throws(PlanningError) in
            try PodResources(annotations: spec.annotations)
        }
    }

    private func machineRecord(
        _ machine: MachinePlan, _ engine: any Engine, _ plan: BundlePlan, _ pod: PodResources?, _ role: PodRole
    ) -> MachineRecord {
        let overhead = engine.memoryOverheadByteCount
        var record = MachineRecord(memoryByteCount: machine.memoryByteCount, overheadByteCount: overhead)
        record.writableDisks = plan.disks.filter { !$0.isReadOnly }.map(\.path)
        if case .sandbox(let name) = role {
            record.isShared = true
            record.podName = name
        }
        if pod?.memoryByteCount != nil || pod == nil && plan.limits.memoryByteCount != nil {
            record.memoryLimitAlone = machine.memoryByteCount + overhead
        } else if let limit = plan.limits.memoryByteCount {
            record.memoryLimitAlone = min(limit, 1 << 40) + Self.guestOwnByteCount + overhead
        }
        return record
    }

    /// The machine a container needs: the default, and room for what its memory limit and CPU quota speak of. A pod's
    /// is as large as its annotations say, or has room for whoever may join.
    private func machinePlan(_ plan: BundlePlan, _ pod: PodResources?) throws(RuntimeError) -> MachinePlan {
        let mebibyte: UInt64 = 1 << 20
        var memory = options.memoryByteCount
        if let pod {
            memory =
                pod.memoryByteCount.map { max(memory, $0 + Self.guestOwnByteCount) }
                ?? max(memory, options.podMemoryByteCount)
        }
        if let limit = plan.limits.memoryByteCount, limit < 1 << 40 {
            memory = max(memory, limit + Self.guestOwnByteCount)
        }
        var processors = pod == nil ? options.vcpuCount : options.podVCPUCount
        let (quota, period) =
            pod.map { ($0.cpuQuota, $0.cpuPeriod ?? 100_000) } ?? (plan.limits.cpuQuota, plan.limits.cpuPeriod)
        if let quota, let period, quota > 0, period > 0 {
            let wanted = (UInt64(quota) + period - 1) / period
            processors = Int(min(max(wanted, 1), UInt64(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1))))
        }
        for (name, path) in [("guest kernel", options.parts.kernel), ("guest initramfs", options.parts.initramfs)] {
            _ = try wrapping({ .part(name: name, path: path, $0) }) { () throws(Errno) in
                try FileDescriptor.open(path, [])
            }
        }
        var machine = MachinePlan(
            kernelPath: options.parts.kernel, initramfsPath: options.parts.initramfs, vcpuCount: processors,
            memoryByteCount: (memory + mebibyte - 1) / mebibyte * mebibyte, guestCID: 3)
        machine.reportsFreeMemory = pod != nil
        // The guest's network is its containers': a kernel with dummy devices built in makes none that nobody asked for.
        machine.kernelArguments = ["dummy.numdummies=0"]
        machine.deviceDiscovery = try Self.deviceDiscovery(of: options.parts.kernel)
        log(.debug, "guest kernel \(machine.kernelPath), devices by \(machine.deviceDiscovery.rawValue)")
        return machine
    }

    /// What the file beside the kernel says.
    static func deviceDiscovery(of kernel: String) throws(RuntimeError) -> DeviceDiscovery {
        let path = DeviceDiscovery.file(of: kernel)
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try FileDescriptor.open(path, [.nonBlocking]).readAll(limit: 64)
        } catch {
            if error == .noSuchFile { return .firmware }
            throw .part(name: "guest kernel's devices", path: path, error)
        }
        let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count == 1, let discovery = DeviceDiscovery(rawValue: String(words[0])) else {
            throw .deviceDiscovery(path: path)
        }
        return discovery
    }

    /// What the guest's kernel and agent take of the machine's memory, in bytes: room beside a container that
    /// may use all of its limit.
    static let guestOwnByteCount: UInt64 = 96 << 20

    /// The socket at which the guest's agent says that it is ready.
    private func readyListener(_ files: SandboxFiles) throws(RuntimeError) -> FileDescriptor {
        try wrapping({ .launch(program: "fc-vmm", operation: "listen", $0) }) { () throws(Errno) in
            try Directory.make(files.vsockDirectory, mode: 0o700)
            let directory = try SocketDirectory(path: files.vsockDirectory)
            return try UnixSocket.listen(at: directory.path(of: SandboxFiles.readyName))
        }
    }

    /// Opens what the sandbox is to have and starts fc-jailer with it.
    private func startJail(
        _ plan: BundlePlan, _ machine: MachinePlan, _ engine: any Engine, _ files: SandboxFiles, id: String,
        cgroup: borrowing CgroupDescriptors, network: Int32?, lifeline: Int32
    ) throws(RuntimeError) {
        let tree = try SharedTree(plan.shares)
        let disks = try DiskFiles(plan.disks)
        var machine = machine
        machine.disks = disks.plans
        let devices = try wrapping({ .launch(program: "fc-jailer", operation: "open", $0) }) { () throws(Errno) in
            try DeviceDescriptors(files)
        }
        let machineProcesses = try wrapping(RuntimeError.engine) { () throws(EngineError) in
            try engine.processes(for: machine, devices: devices.machine)
        }
        var jail = JailPlan(id: id, lifeline: lifeline, status: devices.jailLog.rawValue)
        jail.cgroups = cgroup.numbers
        jail.networkNamespace = network
        jail.processes =
            [
                FileServerProcess.make(
                    executable: options.parts.program("fc-fsd"), shares: tree.shares,
                    socket: devices.fileServer.first.rawValue, log: devices.log.rawValue)
            ] + machineProcesses.processes
        var program = ChildProgram(path: options.parts.program("fc-jailer"), arguments: jail.arguments)
        program.descriptors = jail.inheritedDescriptors.sorted()
        program.standardStreams = [devices.log.rawValue, devices.log.rawValue, devices.log.rawValue]
        program.hasOwnSession = true
        let pid = try program.start()
        // fc-jailer ends when everything in the jail has started, or could not be.
        guard let ended = try? Process.wait(for: pid), ended.status == .exited(code: 0) else {
            throw .sandboxFailed(stage: "jail", reason: jailReason(files) ?? "fc-jailer ended", console: [])
        }
    }

    /// The jail's PID 1, as fc-jailer noted it.
    private func supervisor(_ files: SandboxFiles) throws(RuntimeError) -> ProcessIdentity {
        for case .supervisor(let pid) in JailStatus.all(in: files.jailLog) {
            if let identity = ProcessIdentity(of: pid) { return identity }
        }
        throw .sandboxFailed(stage: "jail", reason: jailReason(files) ?? "no supervisor", console: [])
    }

    /// Waits for the agent's connection, the sandbox's end, or the end of our patience.
    private func awaitAgent(
        _ listener: Int32, _ supervisor: ProcessIdentity, _ files: SandboxFiles
    ) throws(RuntimeError) {
        let deadline = Deadline(after: .seconds(options.bootTimeoutSeconds))
        guard let watched = supervisor.open() else { throw bootFailure(files, "the sandbox ended") }
        while true {
            var entries = [
                pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
                pollfd(fd: watched.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            let left = deadline.nanosecondsLeft / 1_000_000
            let count = unsafe poll(&entries, nfds_t(entries.count), Int32(clamping: left))
            if entries[0].revents != 0, (try? UnixSocket.accept(listener)) != nil { return }
            if entries[1].revents != 0 { throw bootFailure(files, "the sandbox ended") }
            if count == 0 {
                throw bootFailure(files, "the guest's agent was not ready after \(options.bootTimeoutSeconds) s")
            }
        }
    }

    private func bootFailure(_ files: SandboxFiles, _ what: String) -> RuntimeError {
        .sandboxFailed(
            stage: "boot", reason: jailReason(files).map { "\(what): \($0)" } ?? what,
            console: SandboxFiles.tail(of: files.consoleLog))
    }

    /// Why the jail ended, in its own words.
    func jailReason(_ files: SandboxFiles) -> String? {
        let devices = SandboxFiles.tail(of: files.deviceLog, lines: 2)
        for status in JailStatus.all(in: files.jailLog).reversed() {
            switch status {
            case .failed, .ended: return ([status.description] + devices).joined(separator: "; ")
            case .supervisor, .process, .started, .released: continue
            }
        }
        return devices.isEmpty ? nil : devices.joined(separator: "; ")
    }
}

extension JailStatus {
    /// What the jail has noted in the file at `path`, in order.
    static func all(in path: String) -> [JailStatus] {
        guard let file = try? FileDescriptor.open(path, [.noFollow, .nonBlocking]),
            let bytes = try? file.readAll(limit: 1 << 20)
        else { return [] }
        return bytes.split(separator: 10).compactMap { JailStatus(line: String(decoding: $0, as: UTF8.self)) }
    }
}
