// SPDX-License-Identifier: Apache-2.0
extension Spec.Linux.Resources {
    /// The document, as ``parse(_:)`` reads it.
    public func encoded() -> [UInt8] { JSONWriter.bytes(json, indent: "") }

    /// Holds the limits against the runtime-spec.
    public func check() throws(SpecError) { try validate() }

    /// These limits with those that `update` names in their place, as runc's update takes them: what is absent, 0 or
    /// empty there stays as it is.
    public func updated(by update: Spec.Linux.Resources) -> Spec.Linux.Resources {
        var result = self
        if let new = update.memory {
            var memory = memory ?? Memory()
            Self.take(new.limit, &memory.limit)
            Self.take(new.reservation, &memory.reservation)
            Self.take(new.swap, &memory.swap)
            result.memory = memory
        }
        if let new = update.cpu {
            var cpu = cpu ?? CPU()
            Self.take(new.shares, &cpu.shares)
            Self.take(new.quota, &cpu.quota)
            Self.take(new.period, &cpu.period)
            if !new.cpus.isEmpty { cpu.cpus = new.cpus }
            if !new.mems.isEmpty { cpu.mems = new.mems }
            result.cpu = cpu
        }
        if let new = update.pids?.limit, new != 0 { result.pids = update.pids }
        if !update.devices.isEmpty { result.devices = update.devices }
        result.unified.merge(update.unified) { _, new in new }
        return result
    }

    private static func take<Number: FixedWidthInteger>(_ new: Number?, _ old: inout Number?) {
        if let new, new != 0 { old = new }
    }

    /// The paths of what these limits ask for and the runtime does not support, from `linux.resources` on.
    public func unsupportedFields() -> [String] {
        unsupported(isSupported: true).map { joinedPath("linux.resources", $0) }
    }
}
