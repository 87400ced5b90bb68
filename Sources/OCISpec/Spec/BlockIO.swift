// SPDX-License-Identifier: Apache-2.0
extension Spec.Linux.Resources {
    /// Limits of block devices. Weights are 10 to 1000.
    public struct BlockIO: Equatable, Sendable {
        /// Weight against other cgroups.
        public var weight: UInt16?
        /// Weight of the cgroup's own tasks against cgroups below it; cgroup v1 only.
        public var leafWeight: UInt16?
        /// Weights for single devices.
        public var weightDevice: [WeightDevice] = []
        /// Bytes a second.
        public var throttleReadBpsDevice: [ThrottleDevice] = []
        /// Most bytes written in a second, by device.
        public var throttleWriteBpsDevice: [ThrottleDevice] = []
        /// Operations a second.
        public var throttleReadIOPSDevice: [ThrottleDevice] = []
        /// Most write requests in a second, by device.
        public var throttleWriteIOPSDevice: [ThrottleDevice] = []

        /// Every field absent or at its default.
        public init() {}
    }

    /// Weight on one device.
    public struct WeightDevice: Equatable, Sendable {
        /// The device's major number.
        public var major: Int64 = 0
        /// The device's minor number.
        public var minor: Int64 = 0
        /// Weight against other cgroups.
        public var weight: UInt16?
        /// Weight of the cgroup's own tasks against cgroups below it.
        public var leafWeight: UInt16?

        /// Every field absent or at its default.
        public init() {}
    }

    /// A limit of one device.
    public struct ThrottleDevice: Equatable, Sendable {
        /// The device's major number.
        public var major: Int64 = 0
        /// The device's minor number.
        public var minor: Int64 = 0
        /// Bytes or requests in a second, as the list says.
        public var rate: UInt64 = 0

        /// Every field absent or at its default.
        public init() {}
    }
}

extension Spec.Linux.Resources.BlockIO: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("weight", &weight)
        fields.field("leafWeight", &leafWeight)
        fields.field("weightDevice", &weightDevice)
        fields.field("throttleReadBpsDevice", &throttleReadBpsDevice)
        fields.field("throttleWriteBpsDevice", &throttleWriteBpsDevice)
        fields.field("throttleReadIOPSDevice", &throttleReadIOPSDevice)
        fields.field("throttleWriteIOPSDevice", &throttleWriteIOPSDevice)
    }
}

extension Spec.Linux.Resources.WeightDevice: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("major", &major)
        fields.required("minor", &minor)
        fields.field("weight", &weight)
        fields.field("leafWeight", &leafWeight)
    }
}

extension Spec.Linux.Resources.ThrottleDevice: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("major", &major)
        fields.required("minor", &minor)
        fields.required("rate", &rate)
    }
}

extension Spec.Linux.Resources.BlockIO {
    func validate() throws(SpecError) {
        let weights = [("weight", weight), ("leafWeight", leafWeight)]
        for (field, weight) in weights {
            if let weight, weight != 0, !(10...1000).contains(weight) {
                throw SpecError(field, .outOfRange(found: "\(weight)", lowest: "10", highest: "1000"))
            }
        }
    }
}
