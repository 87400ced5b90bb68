// SPDX-License-Identifier: Apache-2.0
/// What the processors of one architecture need of KVM beside what all of them have. The folder of the architecture's
/// name has the one type that conforms, `GuestProcessors`, and all that knows the architecture's registers.
public protocol ProcessorPlatform: Sendable {
    /// What KVM must have for them, beside what every machine needs.
    static var neededCapabilities: [Capability] { get }

    /// Gives `machine` its interrupt controller and what else the kernel emulates. Before the first vCPU.
    static func prepare(_ machine: VirtualMachine) throws(KVMError)

    /// Finds out what a guest's processors can be on this host.
    init(_ hypervisor: borrowing Hypervisor) throws(KVMError)

    /// Makes `processor` one of `count`, as firmware would leave it to a kernel. Before its first run.
    func configure(_ processor: VCPU, count: Int) throws(KVMError)
}
