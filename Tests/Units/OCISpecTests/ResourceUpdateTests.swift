// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import OCISpec

@Suite("OCISpec: resource updates") struct ResourceUpdateTests {
    private func resources(_ text: String) throws -> Spec.Linux.Resources {
        try Spec.Linux.Resources.parse(Array(text.utf8))
    }

    @Test("An update replaces the limits it names and keeps the others")
    func whatIsNamedReplaces() throws {
        let old = try resources(
            #"{"memory":{"limit":100,"swap":7},"cpu":{"quota":5000,"period":9000,"cpus":"0"},"pids":{"limit":3}}"#)
        let new = old.updated(
            by: try resources(
                #"{"memory":{"limit":-1,"reservation":0},"cpu":{"period":8000,"shares":4},"unified":{"a.b":"c"}}"#))
        #expect(new.memory?.limit == -1 && new.memory?.swap == 7 && new.memory?.reservation == nil)
        #expect(new.cpu?.quota == 5000 && new.cpu?.period == 8000 && new.cpu?.shares == 4 && new.cpu?.cpus == "0")
        #expect(new.pids?.limit == 3)
        #expect(new.unified == ["a.b": "c"])
        #expect(try Spec.Linux.Resources.parse(new.encoded()) == new)
    }

    @Test("An update that is empty or all zeros changes nothing")
    func nothingChangesNothing() throws {
        let old = try resources(#"{"memory":{"limit":100},"cpu":{"quota":5000},"pids":{"limit":3}}"#)
        #expect(old.updated(by: try resources("{}")) == old)
        #expect(old.updated(by: try resources(#"{"memory":{"limit":0},"cpu":{"quota":0},"pids":{"limit":0}}"#)) == old)
    }

    @Test("Resource limits that are not supported are listed by their paths")
    func whatIsNotKeptIsNamed() throws {
        #expect(try resources(#"{"cpu":{"burst":5}}"#).unsupportedFields() == ["linux.resources.cpu.burst"])
        #expect(try resources(#"{"blockIO":{"weight":5}}"#).unsupportedFields() == ["linux.resources.blockIO.weight"])
        #expect(try resources(#"{"cpu":{"quota":5000},"blockIO":{"weight":0}}"#).unsupportedFields() == [])
    }
}
