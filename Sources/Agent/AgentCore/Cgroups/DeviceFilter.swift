// SPDX-License-Identifier: Apache-2.0
import SandboxPlan

/// Device rules as a program the kernel runs whenever the cgroup opens or makes a device node.
enum DeviceFilter {
    /// What every container may use whatever its rules say, as runc has it: any node may be made, and these
    /// be used.
    static let alwaysAllowed: [DeviceRule] =
        [.character, .block].map { kind in
            DeviceRule(
                allows: true, kind: kind, major: nil, minor: nil, canRead: false, canWrite: false, canMakeNode: true)
        }
        + [
            (1, 3), (1, 8), (1, 7), (5, 0), (1, 5), (1, 9),  // null, random, full, tty, zero, urandom
            (136, nil), (5, 2), (10, 200),  // pts/*, ptmx, net/tun
        ].map { (major: UInt32, minor: UInt32?) in
            DeviceRule(
                allows: true, kind: .character, major: major, minor: minor, canRead: true, canWrite: true,
                canMakeNode: true)
        }

    /// The program for `rules`, struct bpf_insn after struct bpf_insn. What no rule allows is denied; of the
    /// rules that speak of an access, the last decides.
    static func program(for rules: [DeviceRule]) -> [UInt64] {
        // r2: the accesses still to be allowed; r3: the kind; r4, r5: the numbers. Of struct bpf_cgroup_dev_ctx.
        var program = [
            instruction(0x61, 2, 1, 0, 0), instruction(0xbc, 3, 2, 0, 0), instruction(0x54, 3, 0, 0, 0xffff),
            instruction(0x74, 2, 0, 0, 16), instruction(0x61, 4, 1, 4, 0), instruction(0x61, 5, 1, 8, 0),
        ]
        for rule in (rules + alwaysAllowed).reversed() { program += block(for: rule) }
        return program + verdict(0)
    }

    private static func block(for rule: DeviceRule) -> [UInt64] {
        let accesses: Int32 = (rule.canMakeNode ? 1 : 0) | (rule.canRead ? 2 : 0) | (rule.canWrite ? 4 : 0)
        guard accesses != 0 else { return [] }
        var conditions: [(register: UInt64, value: UInt32)] = []
        switch rule.kind {
        case .character: conditions.append((3, 2))
        case .block: conditions.append((3, 1))
        case .fifo: return []
        case nil: break
        }
        if let major = rule.major { conditions.append((4, major)) }
        if let minor = rule.minor { conditions.append((5, minor)) }
        let body =
            if rule.allows {
                // What is allowed is settled; with nothing left the answer is yes.
                [instruction(0x54, 2, 0, 0, ~accesses), instruction(0x56, 2, 0, 2, 0)] + verdict(1)
            } else {
                // One denied access is enough.
                [
                    instruction(0xbc, 0, 2, 0, 0), instruction(0x54, 0, 0, 0, accesses),
                    instruction(0x16, 0, 0, 2, 0),
                ] + verdict(0)
            }
        var block: [UInt64] = []
        for (index, condition) in conditions.enumerated() {
            // jne32: past the rest of the conditions and the body.
            let distance = conditions.count - index - 1 + body.count
            block.append(
                instruction(0x56, condition.register, 0, Int16(distance), Int32(bitPattern: condition.value)))
        }
        return block + body
    }

    private static func verdict(_ value: Int32) -> [UInt64] {
        [instruction(0xb4, 0, 0, 0, value), instruction(0x95, 0, 0, 0, 0)]
    }

    private static func instruction(
        _ code: UInt64, _ destination: UInt64, _ source: UInt64, _ offset: Int16, _ immediate: Int32
    ) -> UInt64 {
        code | destination << 8 | source << 12 | UInt64(UInt16(bitPattern: offset)) << 16
            | UInt64(UInt32(bitPattern: immediate)) << 32
    }
}
