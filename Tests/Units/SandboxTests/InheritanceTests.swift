// SPDX-License-Identifier: Apache-2.0
import Linux
import OCISpec
import SandboxPlan
import Testing

@testable import Sandbox

@Suite("What a process finds as if it were on the host")
struct InheritanceTests {
    @Test("Only kernel parameters that the host changed and a guest can bear are passed on")
    func parametersAsTheyAlwaysAreAreNotTold() {
        #expect(HostKernelParameters.changed(read: { _ in nil }).isEmpty)
        let told = HostKernelParameters.changed { name in
            switch name {
            case "vm/max_map_count": "262144"
            case "fs/aio-max-nr": "65536"
            // Of the host's memory: not for a guest.
            case "vm/overcommit_memory": "2"
            default: nil
            }
        }
        #expect(told == [KernelParameter(name: "vm/max_map_count", value: "262144")])
        #expect(
            HostKernelParameters.changed { $0 == "vm/overcommit_memory" ? "1" : nil }
                == [KernelParameter(name: "vm/overcommit_memory", value: "1")])
    }

    @Test("Kernel limits are passed on only where the host's are higher")
    func numbersThatAreOnlyRaised() {
        let told = HostKernelParameters.raised { name in
            switch name {
            case "fs/file-max": "9223372036854775807"
            case "fs/nr_open": "1048576"
            case "fs/epoll/max_user_watches": "0"
            case "fs/inotify/max_user_watches": "many"
            default: nil
            }
        }
        #expect(told == [KernelParameter(name: "fs/file-max", value: "9223372036854775807")])
    }

    @Test("A process gets the caller's resource limits and keeps the ones it sets")
    func limitsThatAreNotNamedAreTheCallers() throws {
        var plan = ProcessPlan(arguments: ["x"])
        let named = ResourceLimit(resource: 7, soft: 11, hard: 12)
        plan.resourceLimits = [named]
        plan.inheritResourceLimits()
        #expect(plan.resourceLimits.first == named)
        let callers = try (UInt32(0)..<16).filter { $0 != 7 }.map { resource in
            let limit = try Process.limit(resource)
            return ResourceLimit(resource: resource, soft: limit.soft, hard: limit.hard)
        }
        #expect(Array(plan.resourceLimits.dropFirst()) == callers)
    }

    @Test("A container plan with too long a list for the agent is refused by field and count")
    func whatTheAgentDoesNotTakeIsRefusedByItsPath() throws {
        var container = ContainerPlan(
            id: "x", process: ProcessPlan(arguments: ["x"]),
            root: RootPlan(.shared(path: "0/rootfs"), isReadOnly: false))
        container.process.arguments += [String](repeating: "x", count: 600_000)
        try container.checkFitsMessage()
        container.maskedPaths = [String](repeating: "/x", count: 65537)
        #expect {
            try container.checkFitsMessage()
        } throws: {
            "\($0)".contains("linux.maskedPaths") && "\($0)".contains("65537")
        }
    }
}
