extension Spec.Linux.Resources {
    /// Checks limits on their own, as `update` takes them; paths in errors start at the resources.
    public func validate() throws(SpecError) {
        for (index, rule) in devices.enumerated() {
            try within("devices[\(index)]") { () throws(SpecError) in try rule.validate() }
        }
        if let memory { try within("memory") { () throws(SpecError) in try memory.validate() } }
        if let cpu { try within("cpu") { () throws(SpecError) in try cpu.validate() } }
        if let limit = pids?.limit, limit < -1 {
            throw SpecError("pids.limit", .outOfRange(found: "\(limit)", lowest: "-1", highest: "\(Int64.max)"))
        }
        for key in unified.keys.sorted() {
            // The name of a file in the cgroup's folder: `memory.high`.
            let isFile = key.utf8.contains(UInt8(ascii: ".")) && !key.utf8.contains(UInt8(ascii: "/"))
            if !isFile || key.utf8.first == UInt8(ascii: ".") {
                throw SpecError("unified[\(quoted(key))]", .malformed(kind: "cgroup file", value: key))
            }
        }
        if let blockIO { try within("blockIO") { () throws(SpecError) in try blockIO.validate() } }
        for (index, limit) in hugepageLimits.enumerated() where limit.pageSize.utf8.contains(UInt8(ascii: "/")) {
            throw SpecError("hugepageLimits[\(index)].pageSize", .malformed(kind: "page size", value: limit.pageSize))
        }
    }
}

extension Spec.Linux.Resources.DeviceRule {
    func validate() throws(SpecError) {
        if !["", "a", "b", "c"].contains(type) { throw SpecError("type", .unknown(kind: "device type", name: type)) }
        if access.isEmpty { throw SpecError("access", .empty) }
        if !access.utf8.allSatisfy("rwm".utf8.contains) {
            throw SpecError("access", .malformed(kind: "set of r, w and m", value: access))
        }
        // -1 is every number, as nil is.
        for (field, number) in [("major", major), ("minor", minor)] {
            if let number, !(-1...Int64(UInt32.max)).contains(number) {
                throw SpecError(field, .outOfRange(found: "\(number)", lowest: "-1", highest: "\(UInt32.max)"))
            }
        }
    }
}

extension Spec.Linux.Resources.Memory {
    func validate() throws(SpecError) {
        for (field, bytes) in [("limit", limit), ("reservation", reservation), ("swap", swap)] {
            if let bytes, bytes < -1 {
                throw SpecError(field, .outOfRange(found: "\(bytes)", lowest: "-1", highest: "\(Int64.max)"))
            }
        }
        // As runc: swap counts the memory too, so it is at least as much.
        if let swap, swap > 0 {
            guard let limit, limit != 0 else { throw SpecError("swap", .onlyWith("a memory limit")) }
            if swap < limit {
                throw SpecError("swap", .outOfRange(found: "\(swap)", lowest: "\(limit)", highest: "\(Int64.max)"))
            }
        }
        if let swappiness, swappiness > 100 {
            throw SpecError("swappiness", .outOfRange(found: "\(swappiness)", lowest: "0", highest: "100"))
        }
    }
}

extension Spec.Linux.Resources.CPU {
    func validate() throws(SpecError) {
        // The bounds of the kernel's scheduler: 1 ms to 1 s.
        if let period, period != 0, !(1_000...1_000_000).contains(period) {
            throw SpecError("period", .outOfRange(found: "\(period)", lowest: "1000", highest: "1000000"))
        }
        if let quota, quota > 0, quota < 1_000 {
            throw SpecError("quota", .outOfRange(found: "\(quota)", lowest: "1000", highest: "\(Int64.max)"))
        }
        for (field, list) in [("cpus", cpus), ("mems", mems)] where !Self.isList(list) {
            throw SpecError(field, .malformed(kind: "list, as 0-3,7", value: list))
        }
    }

    /// The kernel's list format, checked for its alphabet: it is written to a file, so no line may end in it.
    private static func isList(_ text: String) -> Bool {
        text.utf8.count <= Limit.path && text.utf8.allSatisfy("0123456789,-:/^ ".utf8.contains)
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
