// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import OCISpec
import Planning
import RuntimeState
import SandboxPlan

/// What a machine is to be, decided from the container that it is made for.
struct MachineSize {
    let plan: MachinePlan
    /// What of it is kept with the container.
    let record: MachineRecord

    /// What the guest's kernel and agent take of a machine's memory, in bytes: room beside a container that may use all
    /// of its limit.
    static let guestOwnByteCount: UInt64 = 96 << 20

    /// - Parameters:
    ///   - pod: what the containers of a pod may use together; nil for a container alone.
    ///   - overheadByteCount: what the machine's programs take besides its memory, at most.
    /// - Throws: `part` for a kernel or initramfs that cannot be opened, `deviceDiscovery`.
    init(
        for plan: BundlePlan, of bundle: Bundle, pod: PodResources?, options: RuntimeOptions, overheadByteCount: UInt64
    ) throws(RuntimeError) {
        let parts = options.parts
        for (name, path) in [("guest kernel", parts.kernel), ("guest initramfs", parts.initramfs)] {
            _ = try wrapping({ .part(name: name, path: path, $0) }, FileDescriptor.open(path, []))
        }
        var machine = MachinePlan(
            kernelPath: parts.kernel, initramfsPath: parts.initramfs,
            vcpuCount: Self.vcpuCount(plan.limits, pod, options),
            memoryByteCount: Self.memoryByteCount(plan.limits, pod, options), guestCID: 3)
        machine.reportsFreeMemory = pod != nil
        // The guest's network is its containers': a kernel with dummy devices built in is to make none.
        machine.kernelArguments = ["dummy.numdummies=0"]
        machine.deviceDiscovery = try .besideKernel(parts.kernel)
        let room =
            machine.deviceDiscovery == .commandLine
            ? MachinePlan.diskLimit - (plan.rootDisk == nil ? 0 : 1) : MachinePlan.networkSlotLimit
        machine.networkSlotCount = try NetworkNamespace.slotCount(bundle.spec, room: room)
        self.plan = machine

        var record = MachineRecord(memoryByteCount: machine.memoryByteCount, overheadByteCount: overheadByteCount)
        var network = MachineNetwork(slotCount: machine.networkSlotCount)
        network.namespacePath = NetworkNamespace.path(in: bundle.spec)
        record.network = network
        if let disk = plan.rootDisk, case .disk(let mount) = plan.container.root.source, !mount.isReadOnly {
            record.writableDisks = [disk.path]
        }
        record.isShared = pod != nil
        if case .sandbox(let name) = bundle.role { record.podName = name }
        if pod?.memoryByteCount != nil || pod == nil && plan.limits.memoryByteCount != nil {
            record.memoryLimitAlone = machine.memoryByteCount + overheadByteCount
        } else if let limit = plan.limits.memoryByteCount {
            record.memoryLimitAlone = min(limit, 1 << 40) + Self.guestOwnByteCount + overheadByteCount
        }
        self.record = record
    }

    /// The default, and room for what a memory limit speaks of. A pod's machine has as much as its annotations say, or
    /// room for those that may join. Whole mebibytes.
    private static func memoryByteCount(
        _ limits: SizingLimits, _ pod: PodResources?, _ options: RuntimeOptions
    ) -> UInt64 {
        let mebibyte: UInt64 = 1 << 20
        var memory = options.memoryByteCount
        if let pod {
            memory = max(memory, pod.memoryByteCount.map { $0 + guestOwnByteCount } ?? options.podMemoryByteCount)
        }
        if let limit = limits.memoryByteCount, limit < 1 << 40 { memory = max(memory, limit + guestOwnByteCount) }
        return (memory + mebibyte - 1) / mebibyte * mebibyte
    }

    /// The default, or as many as the quota of processor time can keep busy.
    private static func vcpuCount(_ limits: SizingLimits, _ pod: PodResources?, _ options: RuntimeOptions) -> Int {
        let (quota, period) = pod.map { ($0.cpuQuota, $0.cpuPeriod ?? 100_000) } ?? (limits.cpuQuota, limits.cpuPeriod)
        guard let quota, let period, quota > 0, period > 0 else {
            return pod == nil ? options.vcpuCount : options.podVCPUCount
        }
        let wanted = (UInt64(quota) + period - 1) / period
        return Int(min(max(wanted, 1), UInt64(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1))))
    }
}

extension MachineRecord {
    /// A container may not be given more memory than its machine has.
    func check(memoryLimit: UInt64) throws(RuntimeError) {
        let most = memoryByteCount - min(MachineSize.guestOwnByteCount, memoryByteCount)
        guard memoryLimit <= most else { throw .machineTooSmall(wanted: memoryLimit, available: most) }
    }
}

extension DeviceDiscovery {
    /// What the file beside the kernel at `path` says.
    static func besideKernel(_ kernel: String) throws(RuntimeError) -> DeviceDiscovery {
        let path = DeviceDiscovery.file(of: kernel)
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try FileDescriptor.open(path, [.nonBlocking]).readAll(limit: 64)
        } catch {
            if error == .noSuchFile { return .firmware }
            throw .part(name: "guest kernel's devices", path: path, error)
        }
        let words = String(decoding: bytes, as: UTF8.self).words
        guard words.count == 1, let discovery = DeviceDiscovery(rawValue: String(words[0])) else {
            throw .deviceDiscovery(path: path)
        }
        return discovery
    }
}
