// SPDX-License-Identifier: Apache-2.0
/// The features of a guest's processor: the host's that KVM supports, less what a sandbox has no use for. Bits are
/// named as in Intel SDM 2A (CPUID) and AMD APM 3 (appendix E).
extension ProcessorFeatures {
    /// What a guest is offered of what KVM supports. Whatever is new in a processor and is not named here passes.
    ///
    /// Kept on purpose: X2APIC, so that no guest reaches its APIC through memory exits; the TSC deadline timer and
    /// the paravirtual clock, so that it calibrates nothing; invariant TSC; ARCH_CAPABILITIES, which tells it what
    /// it need not defend against.
    public func offered() -> ProcessorFeatures {
        var features = self
        features.leaves.removeAll { leaf in
            switch leaf.function {
            case 0x5,  // MONITOR/MWAIT: see below
                0xa, 0x23,  // performance counters: none, they tell of the host and cost at every entry
                0xf, 0x10,  // cache and bandwidth monitoring: the host's
                0x12,  // SGX: enclaves need memory of their own kind
                0x14,  // processor trace
                0x1a,  // hybrid cores: a vCPU runs on any
                0x1b, 0x1c:  // platform configuration, last branch records: with the counters
                return true
            case 0x4000_0002...0x4fff_ffff:  // another hypervisor's interface than KVM's own
                return true
            case 0x8000_000a,  // SVM: no virtual machines inside
                0x8000_001b, 0x8000_001c,  // sampling and profiling
                0x8000_001f,  // encrypted memory: the host's to use
                0x8000_0020,  // bandwidth limits
                0x8000_0022, 0x8000_0026:  // counters; the host's topology, told by leaf 0xb
                return true
            case 0xc000_0000...:  // Centaur's: ours has no rule for them
                return true
            default:
                return false
            }
        }
        features.edit(1) { leaf in
            leaf.ecx.clear(2)  // DTES64, with the debug store
            leaf.ecx.clear(3)  // MONITOR: a guest that idles in MWAIT keeps a host's core to itself
            leaf.ecx.clear(4)  // DS-CPL
            leaf.ecx.clear(5)  // VMX: no virtual machines inside
            leaf.ecx.clear(7)  // SpeedStep
            leaf.ecx.clear(8)  // TM2
            leaf.ecx.clear(15)  // PDCM: counters' capabilities
            leaf.ecx.clear(27)  // OSXSAVE: the guest's own bit, KVM sets it with CR4
            leaf.ecx.set(31)  // a hypervisor is there: without it no guest looks for KVM's leaves
            leaf.edx.clear(21)  // DS
            leaf.edx.clear(22)  // ACPI thermal control
            leaf.edx.clear(29)  // TM
        }
        features.edit(6) { leaf in  // power and temperature are the host's
            leaf.eax &= 1 << 2  // ARAT: the APIC's timer goes on in idle, so Linux needs no other
            leaf.ebx = 0
            leaf.ecx = 0
            leaf.edx = 0
        }
        features.edit(7) { leaf in
            guard leaf.subleaf == 0 else { return }
            leaf.ebx.clear(2)  // SGX
            leaf.ebx.clear(12)  // RDT-M
            leaf.ebx.clear(15)  // RDT-A
            leaf.ebx.clear(25)  // processor trace
            leaf.ecx.clear(5)  // WAITPKG: as MONITOR
            leaf.ecx.clear(30)  // SGX launch control
            leaf.edx.clear(15)  // hybrid
            leaf.edx.clear(19)  // last branch records
        }
        features.edit(0x8000_0001) { leaf in
            leaf.ecx.clear(2)  // SVM
            leaf.ecx.clear(3)  // the extended APIC registers
            leaf.ecx.clear(10)  // sampling
            leaf.ecx.clear(12)  // SKINIT
            leaf.ecx.clear(13)  // watchdog
            leaf.ecx.clear(15)  // profiling
            leaf.ecx.clear(19)  // node identifiers' register
            leaf.ecx.clear(23)  // counters of the core
            leaf.ecx.clear(24)  // and of the northbridge
            leaf.ecx.clear(28)  // and of the cache
            leaf.ecx.clear(29)  // MONITORX: as MONITOR
        }
        features.edit(0x8000_0007) { leaf in
            leaf.edx &= 1 << 8  // invariant TSC; all else is power management
            leaf.eax = 0
            leaf.ebx = 0
            leaf.ecx = 0
        }
        features.offerParavirtualization()
        // What is not listed answers with zeros all the same, and KVM looks leaves up one after the other. The
        // topology's places are kept for a vCPU to fill in.
        features.leaves.removeAll { leaf in
            leaf.eax | leaf.ebx | leaf.ecx | leaf.edx == 0 && ![0xb, 0x1f, 0x8000_001e].contains(leaf.function)
        }
        return features
    }

    /// The deadline timer, which kernels before 6.14 support without listing it.
    mutating func addDeadlineTimer() {
        edit(1) { $0.ecx.set(24) }
    }

    /// KVM's own leaves, Documentation/virt/kvm/x86/cpuid.rst.
    private mutating func offerParavirtualization() {
        guard let supported = self[0x4000_0001]?.eax else { return }
        let offered: [UInt32] = [
            0,  // CLOCKSOURCE: the paravirtual clock
            1,  // NOP_IO_DELAY: no port needs a pause
            3,  // CLOCKSOURCE2
            4,  // ASYNC_PF: a task waits for its page, not its vCPU
            5,  // STEAL_TIME
            6,  // PV_EOI: the end of an interrupt without an exit
            7,  // PV_UNHALT: a lock's waiter sleeps rather than spins
            9,  // PV_TLB_FLUSH
            11,  // PV_SEND_IPI: one exit for an interrupt to many
            13,  // PV_SCHED_YIELD
            14,  // ASYNC_PF_INT: without it Linux uses no ASYNC_PF
            24,  // CLOCKSOURCE_STABLE: one clock for all vCPUs
        ]
        // Not: MMU_OP (2, gone), ASYNC_PF_VMEXIT (10, for virtual machines inside), POLL_CONTROL (12, for guests
        // with a host's core to themselves), and those that need the monitor's help: MSI_EXT_DEST_ID (15, more
        // processors than it may have), HC_MAP_GPA_RANGE (16), MIGRATION_CONTROL (17).
        let mask = offered.reduce(0 as UInt32) { $0 | 1 << $1 }
        leaves.removeAll { $0.function == 0x4000_0000 || $0.function == 0x4000_0001 }
        // "KVMKVMKVM". EDX of the features, hints, stays 0: vCPUs share the host's cores.
        leaves.append(
            Leaf(0x4000_0000, eax: 0x4000_0001, ebx: 0x4b4d_564b, ecx: 0x564b_4d56, edx: 0x4d))
        leaves.append(Leaf(0x4000_0001, eax: supported & mask))
    }
}

extension UInt32 {
    mutating func set(_ bit: UInt32) { self |= 1 << bit }
    mutating func clear(_ bit: UInt32) { self &= ~(1 << bit) }

    mutating func setField(_ bits: ClosedRange<UInt32>, _ value: UInt32) {
        let mask = UInt32((1 as UInt64) << UInt64(bits.count) - 1)
        self = self & ~(mask << bits.lowerBound) | (value & mask) << bits.lowerBound
    }
}
