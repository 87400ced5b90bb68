// SPDX-License-Identifier: Apache-2.0
/// What CPUID answers, leaf by leaf.
public struct ProcessorFeatures: Hashable, Sendable {
    /// The answer for one value of EAX, and of ECX where it matters.
    public struct Leaf: Hashable, Sendable {
        /// EAX as CPUID is asked.
        public var function: UInt32
        /// ECX as CPUID is asked.
        public var subleaf: UInt32
        /// Whether the answer depends on ECX, which is then ``subleaf``.
        public var isIndexed: Bool
        /// The answer's EAX.
        public var eax: UInt32
        /// The answer's EBX.
        public var ebx: UInt32
        /// The answer's ECX.
        public var ecx: UInt32
        /// The answer's EDX.
        public var edx: UInt32

        /// A leaf that depends on ECX has a `subleaf`.
        public init(
            _ function: UInt32, _ subleaf: UInt32? = nil, eax: UInt32 = 0, ebx: UInt32 = 0, ecx: UInt32 = 0,
            edx: UInt32 = 0
        ) {
            self.function = function
            self.subleaf = subleaf ?? 0
            isIndexed = subleaf != nil
            self.eax = eax
            self.ebx = ebx
            self.ecx = ecx
            self.edx = edx
        }
    }

    /// Whose processor it is, as far as leaves differ by it.
    public enum Vendor: Sendable {
        case intel
        /// AMD, and Hygon, which answers alike.
        case amd
        case other
    }

    /// In the order KVM looks them up.
    public internal(set) var leaves: [Leaf]

    /// These leaves and no others.
    public init(_ leaves: [Leaf]) {
        self.leaves = leaves
    }

    /// The leaf of this function and, where it has subleaves, this one.
    public subscript(_ function: UInt32, _ subleaf: UInt32 = 0) -> Leaf? {
        leaves.first { $0.function == function && (!$0.isIndexed || $0.subleaf == subleaf) }
    }

    /// By leaf 0.
    public var vendor: Vendor {
        switch self[0].map({ [$0.ebx, $0.edx, $0.ecx] }) {
        case [0x756e_6547, 0x4965_6e69, 0x6c65_746e]: .intel  // GenuineIntel
        case [0x6874_7541, 0x6974_6e65, 0x444d_4163]: .amd  // AuthenticAMD
        case [0x6f67_7948, 0x6e65_476e, 0x656e_6975]: .amd  // HygonGenuine
        default: .other
        }
    }

    /// What a guest may set in XCR0; 0 where it has no XSAVE.
    public var extendedStateComponents: UInt64 {
        guard let first = self[1], first.ecx & 1 << 26 != 0, let state = self[0xd, 0] else { return 0 }
        return UInt64(state.edx) << 32 | UInt64(state.eax)
    }

    /// Changes every subleaf of `function`.
    mutating func edit(_ function: UInt32, _ change: (inout Leaf) -> Void) {
        for index in leaves.indices where leaves[index].function == function { change(&leaves[index]) }
    }
}

extension ProcessorFeatures {
    /// struct kvm_cpuid_entry2: function, index, flags, the four registers, three words of padding.
    static let wordsPerLeaf = 10
    private static let indexed: UInt32 = 1

    /// From struct kvm_cpuid2: a count, a word of padding, the leaves.
    init(words: [UInt32]) {
        let present = max(0, (words.count - 2) / Self.wordsPerLeaf)
        let count = min(Int(words.first ?? 0), present)
        leaves = (0..<count).map { number in
            let entry = words[(2 + number * Self.wordsPerLeaf)...].prefix(Self.wordsPerLeaf)
            let at = entry.startIndex
            return Leaf(
                entry[at], entry[at + 2] & Self.indexed != 0 ? entry[at + 1] : nil,
                eax: entry[at + 3], ebx: entry[at + 4], ecx: entry[at + 5], edx: entry[at + 6])
        }
    }

    /// As struct kvm_cpuid2.
    var words: [UInt32] {
        var words: [UInt32] = [UInt32(leaves.count), 0]
        words.reserveCapacity(2 + leaves.count * Self.wordsPerLeaf)
        for leaf in leaves {
            words += [
                leaf.function, leaf.subleaf, leaf.isIndexed ? Self.indexed : 0,
                leaf.eax, leaf.ebx, leaf.ecx, leaf.edx, 0, 0, 0,
            ]
        }
        return words
    }
}
