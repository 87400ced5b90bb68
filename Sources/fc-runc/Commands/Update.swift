// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Configuration
import Linux
import OCISpec
import Sandbox

struct Update: ContainerCommand {
    static let name = "update"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Change a container's limits.",
        discussion: "What is not given, or 0, stays as it is.")

    @Option(name: .shortAndLong, help: "A file with the limits, as linux.resources of a document; -: standard input.")
    var resources: String?

    @Option(help: ArgumentHelp("Not supported.", visibility: .hidden))
    var blkioWeight: String?

    @Option(help: "The period of the CPU quota, in microseconds.")
    var cpuPeriod: String?

    @Option(help: "The time on CPUs in each period, in microseconds; -1 is no limit.")
    var cpuQuota: String?

    @Option(help: ArgumentHelp("Not supported.", visibility: .hidden))
    var cpuBurst: String?

    @Option(help: "The share of CPUs, relative to other containers'.")
    var cpuShare: String?

    @Option(help: ArgumentHelp("Not supported.", visibility: .hidden))
    var cpuRtPeriod: String?

    @Option(help: ArgumentHelp("Not supported.", visibility: .hidden))
    var cpuRtRuntime: String?

    @Option(help: ArgumentHelp("Not supported.", visibility: .hidden))
    var cpuIdle: String?

    @Option(help: "The host's CPUs to run on.")
    var cpusetCpus: String?

    @Option(help: "The host's memory nodes to use.")
    var cpusetMems: String?

    @Option(help: "The most memory, as 512m; -1 is no limit.")
    var memory: String?

    @Option(help: "The memory that is kept for it.")
    var memoryReservation: String?

    @Option(help: "Memory and swap together; a guest has no swap.")
    var memorySwap: String?

    @Option(help: "The most processes; -1 is no limit.")
    var pidsLimit: String?

    @Argument(help: "The container.")
    var containerID: String

    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func execute(_ context: Context) throws -> Int32 {
        if let path = resources, !path.isEmpty {
            try context.runtime.update(containerID, document: Self.document(path))
        } else {
            try context.runtime.update(containerID, resources: limits())
        }
        return 0
    }

    /// The limits of the options, each where it says something.
    func limits() throws(UsageError) -> Spec.Linux.Resources {
        for (option, value) in [
            ("--blkio-weight", blkioWeight), ("--cpu-burst", cpuBurst), ("--cpu-rt-period", cpuRtPeriod),
            ("--cpu-rt-runtime", cpuRtRuntime), ("--cpu-idle", cpuIdle),
        ] {
            if let value, !value.isEmpty, value != "0" {
                throw .unsupportedOption(option, reason: "no such limit is kept")
            }
        }
        var memory = Spec.Linux.Resources.Memory()
        memory.limit = try size("memory", self.memory)
        memory.reservation = try size("memory-reservation", memoryReservation)
        memory.swap = try size("memory-swap", memorySwap)
        var cpu = Spec.Linux.Resources.CPU()
        cpu.shares = try number("cpu-share", cpuShare)
        cpu.quota = try number("cpu-quota", cpuQuota)
        cpu.period = try number("cpu-period", cpuPeriod)
        cpu.cpus = cpusetCpus ?? ""
        cpu.mems = cpusetMems ?? ""
        var pids = Spec.Linux.Resources.Pids()
        pids.limit = try number("pids-limit", pidsLimit)
        var limits = Spec.Linux.Resources()
        (limits.memory, limits.cpu, limits.pids) = (memory, cpu, pids)
        return limits
    }

    private func number<Number: FixedWidthInteger>(_ option: String, _ text: String?) throws(UsageError) -> Number? {
        guard let text, !text.isEmpty else { return nil }
        guard let number = Number(text) else { throw .optionValue(option, value: text) }
        return number
    }

    private func size(_ option: String, _ text: String?) throws(UsageError) -> Int64? {
        guard let text, !text.isEmpty else { return nil }
        if text == "-1" { return -1 }
        guard let size = ByteSize.parse(text) else { throw .optionValue(option, value: text) }
        return size
    }

    private static func document(_ path: String) throws(UsageError) -> [UInt8] {
        do {
            // Standard input stays open: it is the caller's.
            if path == "-" { return try BorrowedDescriptor.standardInput.duplicate().readAll(limit: Spec.byteLimit) }
            return try FileDescriptor.open(AbsolutePath.of(path), .nonBlocking).readAll(limit: Spec.byteLimit)
        } catch {
            throw .file(path, error)
        }
    }
}
