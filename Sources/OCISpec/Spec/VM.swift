// SPDX-License-Identifier: Apache-2.0
extension Spec {
    /// What the document asks of the virtual machine (config-vm.md). Paths are the host's.
    public struct VM: Equatable, Sendable {
        /// The program that runs the machine.
        public var hypervisor: Hypervisor?
        /// What the machine boots.
        public var kernel: Kernel?
        /// A root file system of the machine.
        public var image: Image?
        /// Its hardware.
        public var hwConfig: HardwareConfig?

        /// Every field absent or at its default.
        public init() {}
    }
}

extension Spec.VM {
    /// The program that runs the machine (config-vm.md#hypervisor-object).
    public struct Hypervisor: Equatable, Sendable {
        /// Its path.
        public var path = ""
        /// Further arguments for it.
        public var parameters: [String] = []

        /// Every field absent or at its default.
        public init() {}
    }

    /// What the machine boots (config-vm.md#kernel-object).
    public struct Kernel: Equatable, Sendable {
        /// The kernel's file.
        public var path = ""
        /// Further words for the kernel's command line.
        public var parameters: [String] = []
        /// The initial RAM disk's file; empty for none.
        public var initrd = ""

        /// Every field absent or at its default.
        public init() {}
    }

    /// A root file system of the machine (config-vm.md#image-object).
    public struct Image: Equatable, Sendable {
        /// The image's file.
        public var path = ""
        /// `raw`, `qcow2`, `vdi`, `vmdk` or `vhd`.
        public var format = ""

        /// Every field absent or at its default.
        public init() {}
    }

    /// The machine's hardware (config-vm.md#hwconfig-object).
    public struct HardwareConfig: Equatable, Sendable {
        /// A device tree's file.
        public var deviceTree = ""
        /// Number of virtual processors; nil leaves it to the runtime.
        public var vcpus: UInt32?
        /// Bytes.
        public var memory: UInt64?
        /// Devices of the host's device tree to pass through.
        public var dtdevs: [String] = []
        /// I/O memory to pass through.
        public var iomems: [IOMemory] = []
        /// Interrupts to pass through.
        public var irqs: [UInt32] = []

        /// Every field absent or at its default.
        public init() {}
    }

    /// Frame numbers, of the guest and of the machine.
    public struct IOMemory: Equatable, Sendable {
        /// The first frame of the guest; nil for the machine's own number.
        public var firstGFN: UInt64?
        /// The first frame of the host.
        public var firstMFN: UInt64 = 0
        /// Number of frames.
        public var nrMFNs: UInt64 = 0

        /// Every field absent or at its default.
        public init() {}
    }
}

extension Spec.VM: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("hypervisor", &hypervisor)
        fields.field("kernel", &kernel)
        fields.field("image", &image)
        fields.field("hwConfig", &hwConfig)
    }
}

extension Spec.VM.Hypervisor: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("path", &path, bytes: Limit.path)
        fields.field("parameters", &parameters)
    }
}

extension Spec.VM.Kernel: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("path", &path, bytes: Limit.path)
        fields.field("parameters", &parameters)
        fields.field("initrd", &initrd, bytes: Limit.path)
    }
}

extension Spec.VM.Image: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("path", &path, bytes: Limit.path)
        fields.field("format", &format)
    }
}

extension Spec.VM.HardwareConfig: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("deviceTree", &deviceTree, bytes: Limit.path)
        fields.field("vcpus", &vcpus)
        fields.field("memory", &memory)
        fields.field("dtdevs", &dtdevs)
        fields.field("iomems", &iomems)
        fields.field("irqs", &irqs)
    }
}

extension Spec.VM.IOMemory: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("firstGFN", &firstGFN)
        fields.required("firstMFN", &firstMFN)
        fields.required("nrMFNs", &nrMFNs)
    }
}

extension Spec.VM {
    func validate() throws(SpecError) {
        if let hypervisor { try requireAbsolute(hypervisor.path, "hypervisor.path") }
        if let kernel, kernel != Kernel() {
            try requireAbsolute(kernel.path, "kernel.path")
            if !kernel.initrd.isEmpty { try requireAbsolute(kernel.initrd, "kernel.initrd") }
        }
        if let image, image != Image() { try requireAbsolute(image.path, "image.path") }
    }
}
