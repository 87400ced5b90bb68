// SPDX-License-Identifier: Apache-2.0
import Protobuf
import SandboxPlan

extension KernelParameter: PackedMessage {
    package static let blank = KernelParameter(name: "", value: "")

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("name", &name)
        fields.text("value", &value)
    }
}

extension ResourcePlan: PackedMessage {
    package static let blank = ResourcePlan()

    package mutating func exchange(_ fields: MessageFields) {
        fields.messages("files", &files)
        var rules = deviceRules ?? []
        var hasRules = deviceRules != nil
        fields.messages("device_rules", &rules)
        fields.flag("has_device_rules", &hasRules)
        deviceRules = hasRules ? rules : nil
        if !hasRules, !rules.isEmpty { fields.fail("has_device_rules") { .missing(field: $0) } }
    }
}

extension DeviceRule: PackedMessage {
    package static let blank = DeviceRule(
        allows: false, kind: nil, major: nil, minor: nil, canRead: false, canWrite: false, canMakeNode: false)

    package mutating func exchange(_ fields: MessageFields) {
        fields.flag("allows", &allows)
        fields.choice("kind", &kind)
        fields.deviceNumber("major", &major)
        fields.deviceNumber("minor", &minor)
        fields.flag("can_read", &canRead)
        fields.flag("can_write", &canWrite)
        fields.flag("can_make_node", &canMakeNode)
    }
}

extension MessageFields {
    /// A number of which there are 32 bits; -1 is nil.
    fileprivate func deviceNumber(_ name: StaticString, _ value: inout UInt32?) {
        var number = value.map(Int64.init) ?? -1
        self.number(name, &number)
        value = UInt32(exactly: number)
        if value == nil, number != -1 { fail(name) { .outOfRange(field: $0, value: number) } }
    }
}
