// SPDX-License-Identifier: Apache-2.0
import KVM
import Testing

typealias Leaf = ProcessorFeatures.Leaf

/// The offered features are a function of the supported ones: fixed lists, no host.
@Suite struct FeatureTests {
    static let intel = ProcessorFeatures([
        Leaf(0, eax: 0x1f, ebx: 0x756e_6547, ecx: 0x6c65_746e, edx: 0x4965_6e69),
        Leaf(1, eax: 0x606a6, ebx: 0x0710_0800, ecx: 0xffff_ffff & ~(1 << 31), edx: 0xffff_ffff),
        Leaf(4, 0, eax: 0x1c00_4121, ebx: 0x02c0_003f, ecx: 0x3f),
        Leaf(4, 2, eax: 0x1c00_4143),
        Leaf(4, 3, eax: 0x1c03_c163),
        Leaf(4, 4),
        Leaf(5, eax: 0x40, ebx: 0x40, ecx: 3), Leaf(6, eax: 0x77, ebx: 2, ecx: 9),
        Leaf(7, 0, eax: 1, ebx: 0xffff_ffff, ecx: 0xffff_ffff, edx: 0xffff_ffff),
        Leaf(7, 1, eax: 0x30),
        Leaf(0xa, eax: 0x0730_0805), Leaf(0xb, 0, eax: 1, ebx: 2, ecx: 0x100, edx: 77),
        Leaf(0xb, 1, eax: 7, ebx: 64, ecx: 0x201, edx: 77), Leaf(0x12, 0, eax: 1), Leaf(0x14, 0, ebx: 0xf),
        Leaf(0x1f, 0, eax: 1, ebx: 2, ecx: 0x100, edx: 77),
        Leaf(0x4000_0000, eax: 0x4000_0005, ebx: 0x7263_694d), Leaf(0x4000_0001, eax: 0xffff_ffff, edx: 1),
        Leaf(0x4000_0003, eax: 1),
        Leaf(0x8000_0000, eax: 0x8000_0008), Leaf(0x8000_0007, edx: 0xffff_ffff),
        Leaf(0x8000_0008, eax: 0x3934, ecx: 0xff),
    ])

    static let amd = ProcessorFeatures([
        Leaf(0, eax: 0x10, ebx: 0x6874_7541, ecx: 0x444d_4163, edx: 0x6974_6e65),
        Leaf(1, ecx: 0, edx: 0x178b_fbff), Leaf(0xb, 0), Leaf(0x8000_0001, ecx: 0xffff_ffff),
        Leaf(0x8000_0008, eax: 0x3030, ebx: 7, ecx: 0x0003_703f), Leaf(0x8000_000a, eax: 1, edx: 9),
        Leaf(0x8000_001d, 0, eax: 0x0000_4121), Leaf(0x8000_001d, 3, eax: 0x0003_c163),
        Leaf(0x8000_001e, eax: 88, ebx: 0x0120, ecx: 0x0107), Leaf(0x8000_001f, eax: 1),
    ])

    static func bitsSet(in value: UInt32?) -> Set<Int> {
        Set((0..<32).filter { (value ?? 0) & 1 << $0 != 0 })
    }

    @Test("Nested virtualization, counters and enclaves are not offered")
    func nothingNestedNoCountersNoEnclaves() {
        let offered = Self.intel.offered()
        for gone: UInt32 in [5, 0xa, 0x12, 0x14, 0x4000_0003] { #expect(offered[gone] == nil) }
        #expect(Self.bitsSet(in: offered[1]?.ecx) == Set(0..<32).subtracting([2, 3, 4, 5, 7, 8, 15, 27]))
        #expect(Self.bitsSet(in: offered[1]?.edx) == Set(0..<32).subtracting([21, 22, 29]))
        #expect(Self.bitsSet(in: offered[7]?.ebx) == Set(0..<32).subtracting([2, 12, 15, 25]))
        #expect(Self.bitsSet(in: offered[7]?.ecx) == Set(0..<32).subtracting([5, 30]))
        #expect(Self.bitsSet(in: offered[7]?.edx) == Set(0..<32).subtracting([15, 19]))
        #expect(offered[7, 1]?.eax == 0x30)
        #expect(offered[6] == Leaf(6, eax: 4))
        #expect(offered[0x8000_0007] == Leaf(0x8000_0007, edx: 1 << 8))
        let amd = Self.amd.offered()
        for gone: UInt32 in [0x8000_000a, 0x8000_001f] { #expect(amd[gone] == nil) }
        #expect(
            Self.bitsSet(in: amd[0x8000_0001]?.ecx)
                == Set(0..<32).subtracting([2, 3, 10, 12, 13, 15, 19, 23, 24, 28, 29]))
    }

    @Test("KVM's own leaves offer known features, and only those the kernel supports")
    func kvmsOwnLeaves() {
        let offered = Self.intel.offered()
        #expect(
            offered[0x4000_0000]
                == Leaf(0x4000_0000, eax: 0x4000_0001, ebx: 0x4b4d_564b, ecx: 0x564b_4d56, edx: 0x4d))
        #expect(Self.bitsSet(in: offered[0x4000_0001]?.eax) == [0, 1, 3, 4, 5, 6, 7, 9, 11, 13, 14, 24])
        #expect(offered[0x4000_0001]?.edx == 0)
        // Nothing is offered that the kernel does not support.
        var few = Self.intel.leaves
        few.removeAll { $0.function == 0x4000_0001 }
        few.append(Leaf(0x4000_0001, eax: 1 << 3 | 1 << 24))
        #expect(Self.bitsSet(in: ProcessorFeatures(few).offered()[0x4000_0001]?.eax) == [3, 24])
        #expect(Self.amd.offered()[0x4000_0000] == nil)
    }

    @Test("The third of four Intel vCPUs has its own id and topology in CPUID")
    func theThirdOfFourOnIntel() {
        let vcpu = Self.intel.offered().forVCPU(2, of: 4)
        #expect(vcpu[1]?.ebx == 0x0204_0800)
        #expect(Self.bitsSet(in: vcpu[1]?.edx).isSuperset(of: [28]) == true)
        #expect(vcpu[4, 0]?.eax == 0x0c00_0121)
        #expect(vcpu[4, 2]?.eax == 0x0c00_0143)
        #expect(vcpu[4, 3]?.eax == 0x0c00_c163)
        // The end of the list is one of zeros.
        #expect(vcpu[4, 4] == nil)
        for function: UInt32 in [0xb, 0x1f] {
            #expect(vcpu[function, 0] == Leaf(function, 0, eax: 0, ebx: 1, ecx: 0x100, edx: 2))
            #expect(vcpu[function, 1] == Leaf(function, 1, eax: 2, ebx: 4, ecx: 0x201, edx: 2))
            #expect(vcpu[function, 2] == Leaf(function, 2, ecx: 2, edx: 2))
        }
        #expect(vcpu[0x8000_0008]?.ecx == 0)
    }

    @Test("A single AMD vCPU has a topology of one in CPUID")
    func theOnlyOneOnAMD() {
        let vcpu = Self.amd.offered().forVCPU(0, of: 1)
        #expect(vcpu[1]?.ebx == 0x0001_0000)
        #expect(Self.bitsSet(in: vcpu[1]?.edx).isSuperset(of: [28]) == false)
        #expect(Self.bitsSet(in: vcpu[0x8000_0001]?.ecx).isSuperset(of: [1]) == false)
        #expect(vcpu[0x8000_0008] == Leaf(0x8000_0008, eax: 0x3030, ebx: 7, ecx: 0))
        #expect(vcpu[0xb, 1] == Leaf(0xb, 1, eax: 0, ebx: 1, ecx: 0x201, edx: 0))
        #expect(vcpu[0x1f] == nil)
    }

    @Test("The last of five AMD vCPUs has its own id and topology in CPUID")
    func theLastOfFiveOnAMD() {
        let vcpu = Self.amd.offered().forVCPU(4, of: 5)
        #expect(vcpu[1]?.ebx == 0x0408_0000)
        #expect(Self.bitsSet(in: vcpu[0x8000_0001]?.ecx).isSuperset(of: [1]) == true)
        #expect(vcpu[0x8000_0008]?.ecx == 0x3004)
        #expect(vcpu[0x8000_001d, 0]?.eax == 0x121)
        #expect(vcpu[0x8000_001d, 3]?.eax == 0x0001_0163)
        #expect(vcpu[0x8000_001e] == Leaf(0x8000_001e, eax: 4, ebx: 4))
        #expect(vcpu[0xb, 1] == Leaf(0xb, 1, eax: 3, ebx: 5, ecx: 0x201, edx: 4))
    }

    @Test("Any vCPU index and count are accepted")
    func numbersOfAnySizeAreTaken() {
        for (index, count) in [(0, 0), (31, 32), (255, 256), (1000, 4096), (Int.max, Int.max), (-1, -1)] {
            let vcpu = Self.intel.forVCPU(index, of: count)
            #expect(vcpu.leaves.count >= Self.intel.leaves.count)
            #expect(Self.amd.forVCPU(index, of: count)[0] == Self.amd[0])
        }
    }

    @Test("Extended state components are those of leaf 0xd where XSAVE is supported")
    func theComponentsOfExtendedState() {
        let state = Leaf(0xd, 0, eax: 0xe7, edx: 1)
        #expect(ProcessorFeatures([Leaf(1, ecx: 1 << 26), state]).extendedStateComponents == 0x1_0000_00e7)
        #expect(ProcessorFeatures([Leaf(1), state]).extendedStateComponents == 0)
        #expect(ProcessorFeatures([Leaf(1, ecx: 1 << 26)]).extendedStateComponents == 0)
    }

    @Test("An empty feature list stays empty")
    func oneThatSaysNothingStaysSo() {
        #expect(ProcessorFeatures([]).offered().forVCPU(0, of: 2).leaves.isEmpty)
    }
}
