// SPDX-License-Identifier: Apache-2.0
import KVM
import Linux
import TestSupport
import Testing

/// The script keeps to what a vCPU promises, so that a loop tested with it is tested.
@Suite struct ScriptedVCPUTests {
    @Test("Scripted exits come in order, and the answers are recorded")
    func exitsComeInOrderAndAnswersAreNoted() throws {
        let read = VCPUExit.portRead(port: 0x60, width: 1, count: 2)
        let vcpu = ScriptedVCPU([
            .exit(read), .exit(.memoryRead(address: 0x1000, width: 4)),
            .string(.portWrite(port: 1, width: 1, count: 3, value: 7), [7, 8, 9]),
            .failure(.run(vcpu: 0, .inputOutput)),
        ])
        #expect(try vcpu.run() == read)
        vcpu.setElement(1, 5)
        vcpu.setElement(2, 6)
        #expect(try vcpu.run() == .memoryRead(address: 0x1000, width: 4))
        vcpu.answer = 0x1234
        #expect(try vcpu.run() == .portWrite(port: 1, width: 1, count: 3, value: 7))
        #expect((0..<4).map { vcpu.element($0) } == [7, 8, 9, 0])
        #expect(throws: KVMError.run(vcpu: 0, .inputOutput)) { try vcpu.run() }
        #expect(try vcpu.run() == .shutdown)
        #expect(vcpu.runCount == 5)
        #expect(vcpu.answers.map(\.elements) == [[0, 5], [0x1234]])
    }
}
