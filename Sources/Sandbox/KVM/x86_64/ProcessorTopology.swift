// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

extension ProcessorFeatures {
    /// These features as vCPU `index` of `count` has them: each is a core of its own, all are of one package with
    /// one third-level cache. A vCPU has no fixed core on the host, so nothing more can truly be said.
    ///
    /// KVM's own list says of these leaves what the core it was asked on is (api.rst 9.1).
    public func forVCPU(_ index: Int, of count: Int) -> ProcessorFeatures {
        var features = self
        let identifier = UInt32(truncatingIfNeeded: index)
        // More than any KVM allows.
        let cores = UInt32(min(max(1, count), 1 << 16))
        // Identifiers are dense, so this many bits of one tell cores apart.
        let bits = cores == 1 ? 0 : UInt32(32 - (cores - 1).leadingZeroBitCount)
        let identifiers: UInt32 = 1 << bits

        features.edit(1) { leaf in
            leaf.ebx.setField(24...31, identifier)
            leaf.ebx.setField(16...23, min(identifiers, 255))
            // Whether the count above means anything.
            if cores > 1 { leaf.edx.set(28) } else { leaf.edx.clear(28) }
        }
        features.edit(4) { leaf in  // Intel's caches
            guard leaf.eax & 0x1f != 0 else { return }
            leaf.eax.setField(26...31, min(identifiers, 64) - 1)
            leaf.eax.setField(14...25, Self.sharing(ofLevel: leaf.eax >> 5 & 7, identifiers))
        }
        features.edit(0x8000_001d) { leaf in  // AMD's caches
            guard leaf.eax & 0x1f != 0 else { return }
            leaf.eax.setField(14...25, Self.sharing(ofLevel: leaf.eax >> 5 & 7, cores))
        }
        features.replaceTopology(identifier: identifier, cores: cores, bits: bits)
        if vendor == .amd {
            features.edit(0x8000_0001) { leaf in  // CmpLegacy
                if cores > 1 { leaf.ecx.set(1) } else { leaf.ecx.clear(1) }
            }
            features.edit(0x8000_0008) { leaf in
                leaf.ecx.setField(0...7, min(cores, 256) - 1)
                leaf.ecx.setField(12...15, bits)
                leaf.ecx.setField(16...17, 0)  // of the performance counters' time stamp, which is not there
            }
            features.edit(0x8000_001e) { leaf in
                leaf.eax = identifier
                leaf.ebx = min(identifier, 255)  // core; one thread each
                leaf.ecx = 0  // node 0 of one
                leaf.edx = 0
            }
        } else {
            features.edit(0x8000_0008) { $0.ecx = 0 }
        }
        return features
    }

    /// How many share a cache, less one: the first two levels are a core's own.
    private static func sharing(ofLevel level: UInt32, _ all: UInt32) -> UInt32 { level < 3 ? 0 : all - 1 }

    /// Leaves 0xb and 0x1f, where the processor has them: a level of one thread, a level of all cores, the end.
    private mutating func replaceTopology(identifier: UInt32, cores: UInt32, bits: UInt32) {
        let highest = self[0]?.eax ?? 0
        for function in [0xb, 0x1f] as [UInt32] where function <= highest {
            // Leaf 0x1f is one that older processors lack and that only says more where there are dies.
            if function == 0x1f, self[function] == nil { continue }
            leaves.removeAll { $0.function == function }
            leaves += [
                Leaf(function, 0, eax: 0, ebx: 1, ecx: 1 << 8, edx: identifier),
                Leaf(function, 1, eax: bits, ebx: cores, ecx: 1 | 2 << 8, edx: identifier),
                Leaf(function, 2, ecx: 2, edx: identifier),
            ]
        }
    }
}

extension VCPU {
    /// KVM_SET_CPUID2: makes this the vCPU of its index of `count`, with `features`. Before its first run.
    public func configure(_ features: ProcessorFeatures, count: Int) throws(KVMError) {
        var words = features.forVCPU(index, of: count).words
        do { try control(descriptor.borrowed, CL_KVM_SET_CPUID2, with: &words) } catch {
            throw .vcpu(.setProcessorFeatures, index: index, error)
        }
        // Where the host is an emulated processor, KVM may not learn of the guest's XSETBV, and goes on to tell it of
        // a save area for nothing: Linux then does without AVX. What the guest may set is set before, so that the
        // two agree whatever KVM hears of; without CR4.OSXSAVE it means nothing.
        let components = features.extendedStateComponents
        if components != 0 {
            var control = ExtendedControl()
            control.nr_xcrs = 1
            control.xcrs.0.value = components
            try setExtendedControl(control)
        }
    }
}
