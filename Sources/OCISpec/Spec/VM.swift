extension Spec {
    /// What the document asks of the virtual machine (config-vm.md). Paths are the host's.
    public struct VM: Equatable, Sendable {
        public var hypervisor: Hypervisor?
        public var kernel: Kernel?
        public var image: Image?
        public var hwConfig: HardwareConfig?

        public init() {}
    }
}

extension Spec.VM {
    public struct Hypervisor: Equatable, Sendable {
        public var path = ""
        public var parameters: [String] = []

        public init() {}
    }

    public struct Kernel: Equatable, Sendable {
        public var path = ""
        public var parameters: [String] = []
        public var initrd = ""

        public init() {}
    }

    public struct Image: Equatable, Sendable {
        public var path = ""
        public var format = ""

        public init() {}
    }

    public struct HardwareConfig: Equatable, Sendable {
        public var deviceTree = ""
        public var vcpus: UInt32?
        /// Bytes.
        public var memory: UInt64?
        public var dtdevs: [String] = []
        public var iomems: [IOMemory] = []
        public var irqs: [UInt32] = []

        public init() {}
    }

    /// Frame numbers, of the guest and of the machine.
    public struct IOMemory: Equatable, Sendable {
        public var firstGFN: UInt64?
        public var firstMFN: UInt64 = 0
        public var nrMFNs: UInt64 = 0

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
