#if arch(x86_64)
    import CLinux
    public import Linux

    extension VirtualMachine {
        /// KVM_CREATE_IRQCHIP, api.rst 4.24: two 8259, an IOAPIC of 24 lines and a local APIC a vCPU, all in the kernel.
        /// Interrupt `n` reaches line `n` of the IOAPIC, and of the 8259 where it is below 16.
        public func makeInterruptController() throws(KVMError) {
            let number = descriptor.rawValue
            let identityMap = Self.reservedAddresses.lowerBound
            let taskState = identityMap + 4096
            // Both before the first vCPU; only Intel's processors without unrestricted guests use them.
            var address = identityMap
            do { try control(number, CL_KVM_SET_IDENTITY_MAP_ADDR, with: &address) } catch {
                throw .setIdentityMapAddress(identityMap, error)
            }
            do { try control(number, CL_KVM_SET_TSS_ADDR, Int(taskState)) } catch {
                throw .setTaskStateAddress(taskState, error)
            }
            do { try control(number, CL_KVM_CREATE_IRQCHIP) } catch { throw .createInterruptController(error) }
        }

        /// KVM_CREATE_PIT2, api.rst 4.71: an 8254 in the kernel, on interrupt 0, for a guest that calibrates by it.
        /// One that has the paravirtual clock and the deadline timer needs none.
        public func makeTimer() throws(KVMError) {
            var configuration = kvm_pit_config()
            // Port 0x61 as well: the guest gates channel 2 through it.
            configuration.flags = UInt32(KVM_PIT_SPEAKER_DUMMY)
            do { try control(descriptor.rawValue, CL_KVM_CREATE_PIT2, with: &configuration) } catch {
                throw .createTimer(error)
            }
        }

        /// KVM_IRQ_LINE, api.rst 4.25.
        public func setInterruptLine(_ gsi: UInt32, _ isHigh: Bool) throws(KVMError) {
            var level = kvm_irq_level()
            level.irq = gsi
            level.level = isHigh ? 1 : 0
            do { try control(descriptor.rawValue, CL_KVM_IRQ_LINE, with: &level) } catch {
                throw .setInterruptLine(gsi: gsi, error)
            }
        }

        /// KVM_IRQFD, api.rst 4.75: each signal of `interrupt` is an edge on `gsi`, with no thread of ours between.
        /// The kernel holds on to the descriptor's file until ``unroute(_:from:)``, or until everyone closed it.
        public func route(_ interrupt: borrowing EventFD, to gsi: UInt32) throws(KVMError) {
            try setRoute(interrupt.descriptor.rawValue, gsi, flags: 0)
        }

        /// Undoes ``route(_:to:)``. Interrupts already signalled have been injected when it returns.
        public func unroute(_ interrupt: borrowing EventFD, from gsi: UInt32) throws(KVMError) {
            try setRoute(interrupt.descriptor.rawValue, gsi, flags: UInt32(KVM_IRQFD_FLAG_DEASSIGN))
        }

        private func setRoute(_ interrupt: Int32, _ gsi: UInt32, flags: UInt32) throws(KVMError) {
            var route = kvm_irqfd()
            route.fd = UInt32(bitPattern: interrupt)
            route.gsi = gsi
            route.flags = flags
            do { try control(descriptor.rawValue, CL_KVM_IRQFD, with: &route) } catch {
                throw .route(gsi: gsi, error)
            }
        }
    }
#endif
