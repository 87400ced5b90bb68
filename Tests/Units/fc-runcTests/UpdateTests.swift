// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import OCISpec
import Testing

@testable import fc_runc

@Suite("fc-runc: update") struct UpdateTests {
    private func limits(_ arguments: [String]) throws -> Spec.Linux.Resources {
        let invocation = Invocation(["update"] + arguments + ["c"])
        return try Update.parse(invocation.global + invocation.arguments).limits()
    }

    @Test("Each option of update sets its limit")
    func everyOptionIsItsLimit() throws {
        let limits = try limits([
            "--cpu-period", "50000", "--cpu-quota", "-1", "--cpu-share=512", "-cpuset-cpus", "0-1", "--cpuset-mems",
            "0",
            "--memory", "512m", "--memory-reservation", "1.5k", "--memory-swap", "-1", "--pids-limit", "-1",
        ])
        #expect(limits.cpu?.period == 50_000)
        #expect(limits.cpu?.quota == -1)
        #expect(limits.cpu?.shares == 512)
        #expect(limits.cpu?.cpus == "0-1")
        #expect(limits.cpu?.mems == "0")
        #expect(limits.memory?.limit == 512 << 20)
        #expect(limits.memory?.reservation == 1536)
        #expect(limits.memory?.swap == -1)
        #expect(limits.pids?.limit == -1)
    }

    @Test("Options that are empty or zero set no limit")
    func whatIsNotSaidIsAbsent() throws {
        let limits = try limits(["--blkio-weight", "0", "--cpu-idle", "", "--memory", ""])
        #expect(Spec.Linux.Resources().updated(by: limits) == emptied(Spec.Linux.Resources()))
    }

    /// With the groups that an update speaks of, and nothing in them.
    private func emptied(_ resources: Spec.Linux.Resources) -> Spec.Linux.Resources {
        var resources = resources
        resources.memory = Spec.Linux.Resources.Memory()
        resources.cpu = Spec.Linux.Resources.CPU()
        return resources
    }

    @Test(
        "Limits that are not supported are refused by option",
        arguments: ["--blkio-weight", "--cpu-burst", "--cpu-rt-period", "--cpu-rt-runtime", "--cpu-idle"])
    func whatIsNotKeptIsRefused(option: String) throws {
        let error = #expect(throws: UsageError.self) { _ = try limits([option, "10"]) }
        #expect(error?.description.contains(option) == true)
    }

    @Test(
        "Malformed values of update are refused by option",
        arguments: [
            ("--memory", "12q"), ("--memory", "-2"), ("--memory", "."), ("--memory", "1..2"), ("--memory", "9999999p"),
            ("--cpu-period", "-1"), ("--cpu-quota", "x"), ("--cpu-share", "1.5"), ("--pids-limit", "many"),
        ])
    func badValuesAreRefused(option: String, value: String) throws {
        #expect(throws: UsageError.optionValue(String(option.dropFirst(2)), value: value)) {
            _ = try limits([option, value])
        }
    }

    @Test(
        "Sizes are parsed as Docker parses them",
        arguments: [
            ("0", 0), ("32", 32), ("32b", 32), ("32K", 32 << 10), ("32kb", 32 << 10), ("32 KiB", 32 << 10),
            ("1.5g", 3 << 29), ("2T", 2 << 40), ("1p", 1 << 50), (".5k", 512), ("1.", 1),
        ] as [(String, Int64)])
    func sizesAreDockers(text: String, size: Int64) {
        #expect(ByteSize.parse(text) == size)
    }

    @Test(
        "Sizes that Docker does not accept are refused",
        arguments: ["", "k", "5e", "5bb", "5kib ", "5 kbb", "-5", "0x5", "5,5", "９"])
    func otherSizesAreNone(text: String) {
        #expect(ByteSize.parse(text) == nil)
    }
}
