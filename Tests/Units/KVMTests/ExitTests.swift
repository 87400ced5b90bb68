// SPDX-License-Identifier: Apache-2.0
import KVM
import Linux
import Testing

/// Toy guests on the host's KVM: what they do comes out as the exit it is.
@Suite(.enabled(if: KVMHere.isUsable, "/dev/kvm cannot be opened"), .timeLimit(.minutes(1)))
struct ExitTests {
    @Test("A byte written to a port exits with its value, and HLT exits as a halt")
    func aByteWrittenToAPort() throws {
        let toy = try ToyMachine()
        // mov dx, 0x3f8; mov al, 'A'; out dx, al; hlt
        let vcpu = try toy.vcpu([0xba, 0xf8, 0x03, 0xb0, 0x41, 0xee, 0xf4])
        #expect(try vcpu.run() == .portWrite(port: 0x3f8, width: 1, count: 1, value: 0x41))
        #expect(try vcpu.run() == .halt)
    }

    @Test("Words and longs written to a port exit with their width and value")
    func wordsAndLongsWrittenToAPort() throws {
        let toy = try ToyMachine()
        // mov eax, 0x12345678; out 0x80, ax; out 0x80, eax; hlt
        let vcpu = try toy.vcpu([0x66, 0xb8, 0x78, 0x56, 0x34, 0x12, 0xe7, 0x80, 0x66, 0xe7, 0x80, 0xf4])
        #expect(try vcpu.run() == .portWrite(port: 0x80, width: 2, count: 1, value: 0x5678))
        #expect(try vcpu.run() == .portWrite(port: 0x80, width: 4, count: 1, value: 0x1234_5678))
    }

    @Test("A port read returns the answer, or zero without one")
    func whatIsReadFromAPortIsTheAnswer() throws {
        let toy = try ToyMachine()
        // in al, 0x60; out 0x61, al; in al, 0x60; out 0x61, al
        let vcpu = try toy.vcpu([0xe4, 0x60, 0xe6, 0x61, 0xe4, 0x60, 0xe6, 0x61])
        #expect(try vcpu.run() == .portRead(port: 0x60, width: 1, count: 1))
        vcpu.answer = 0x1ff
        #expect(try vcpu.run() == .portWrite(port: 0x61, width: 1, count: 1, value: 0xff))
        #expect(try vcpu.run() == .portRead(port: 0x60, width: 1, count: 1))
        // Unanswered.
        #expect(try vcpu.run() == .portWrite(port: 0x61, width: 1, count: 1, value: 0))
    }

    @Test("Access to unbacked memory exits, and a read returns the answer")
    func memoryThatIsNotThere() throws {
        let toy = try ToyMachine()
        // mov ax, 0xa000; mov ds, ax; mov byte [0x10], 0x5a; mov dword [0x50], 0xcafef00d;
        // mov eax, [0x20]; out 0x80, eax
        let vcpu = try toy.vcpu([
            0xb8, 0x00, 0xa0, 0x8e, 0xd8, 0xc6, 0x06, 0x10, 0x00, 0x5a,
            0x66, 0xc7, 0x06, 0x50, 0x00, 0x0d, 0xf0, 0xfe, 0xca, 0x66, 0xa1, 0x20, 0x00, 0x66, 0xe7, 0x80,
        ])
        #expect(try vcpu.run() == .memoryWrite(address: 0xa0010, width: 1, value: 0x5a))
        #expect(try vcpu.run() == .memoryWrite(address: 0xa0050, width: 4, value: 0xcafe_f00d))
        #expect(try vcpu.run() == .memoryRead(address: 0xa0020, width: 4))
        vcpu.answer = 0x7472_6976
        #expect(vcpu.answer == 0x7472_6976)
        #expect(try vcpu.run() == .portWrite(port: 0x80, width: 4, count: 1, value: 0x7472_6976))
    }

    @Test("String output arrives in order")
    func stringsOutArriveInOrder() throws {
        let toy = try ToyMachine()
        let text = Array("sixteen letters.".utf8)
        toy.write(text, at: 0x2000)
        // mov si, 0x2000; mov cx, 16; mov dx, 0x80; cld; rep outsb; hlt
        let vcpu = try toy.vcpu([
            0xbe, 0x00, 0x20, 0xb9, 0x10, 0x00, 0xba, 0x80, 0x00, 0xfc, 0xf3, 0x6e, 0xf4,
        ])
        var seen: [UInt8] = []
        while case .portWrite(port: 0x80, width: 1, let count, let value) = try vcpu.run() {
            try #require(count >= 1 && seen.count <= 16)
            #expect(value == vcpu.element(0))
            for index in 0..<count { seen.append(UInt8(vcpu.element(index))) }
            #expect(vcpu.element(count) == 0)
        }
        #expect(seen == text)
    }

    @Test("String input is answered element by element")
    func stringsInAreAnsweredElementByElement() throws {
        let toy = try ToyMachine()
        // mov di, 0x3000; mov cx, 8; mov dx, 0x80; cld; rep insw; hlt
        let vcpu = try toy.vcpu([
            0xbf, 0x00, 0x30, 0xb9, 0x08, 0x00, 0xba, 0x80, 0x00, 0xfc, 0xf3, 0x6d, 0xf4,
        ])
        var next: UInt32 = 0x0100
        while case .portRead(port: 0x80, width: 2, let count) = try vcpu.run() {
            try #require(count >= 1 && next <= 0x0108)
            for index in 0..<count {
                vcpu.setElement(index, next)
                next += 1
            }
            vcpu.setElement(count, 0xdead)
        }
        #expect(toy.read(18, at: 0x3000) == [0, 1, 1, 1, 2, 1, 3, 1, 4, 1, 5, 1, 6, 1, 7, 1, 0, 0])
    }

    @Test("A triple fault exits as a shutdown")
    func aTripleFaultIsAShutdown() throws {
        let toy = try ToyMachine()
        let vcpu = try toy.vcpu([0x0f, 0x0b])  // ud2
        var special = try vcpu.specialRegisters()
        special.cr0 |= 1
        special.cs = Segment.flat(selector: 8, type: 11)
        special.ds = Segment.flat(selector: 16, type: 3)
        special.es = special.ds
        special.ss = special.ds
        special.tr = Segment.taskState(selector: 24)
        special.idt.base = 0
        special.idt.limit = 0
        try vcpu.setSpecialRegisters(special)
        #expect(try vcpu.run() == .shutdown)
    }

    @Test("Two vCPUs run at once and see each other's writes")
    func twoVCPUsRunAtOnce() throws {
        let toy = try ToyMachine(hasInterruptController: true)
        // Each writes its number into memory and waits for the other's, then tells: in any order, but both.
        func code(_ own: UInt8) -> [UInt8] {
            let other = 1 - own
            return [
                0xc6, 0x06, own, 0x20, 1,  // mov byte [0x2000 + own], 1
                0x80, 0x3e, other, 0x20, 0,  // cmp byte [0x2000 + other], 0
                0x74, 0xf9,  // je back to the comparison
                0xb0, own, 0xe6, 0x80,  // mov al, own; out 0x80, al
            ]
        }
        let outcome = Outcome()
        let threads = (0..<2).map { number in
            Result {
                try Box(
                    Thread(named: "vcpu \(number)") {
                        outcome.note(
                            number,
                            Result {
                                let vcpu = try toy.vcpu(
                                    code(UInt8(number)), index: number, at: UInt64(0x1000 + 0x100 * number))
                                try vcpu.setMultiprocessingState(.runnable)
                                return try vcpu.run()
                            })
                    })
            }
        }
        for thread in threads { try thread.get().join() }
        for number in 0..<2 {
            #expect(
                try outcome.exit(number) == .portWrite(port: 0x80, width: 1, count: 1, value: UInt32(number)))
        }
    }
}
