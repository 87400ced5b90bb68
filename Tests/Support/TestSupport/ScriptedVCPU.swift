// SPDX-License-Identifier: Apache-2.0
public import KVM

/// A processor that has a list of exits instead of a guest. It notes what it was answered, and ends as a guest
/// without an end does: with `.shutdown`, again and again.
public final class ScriptedVCPU: VirtualProcessor {
    public enum Step: Sendable {
        case exit(VCPUExit)
        /// An exit with the elements of a string, whose count is in the exit.
        case string(VCPUExit, [UInt32])
        case failure(KVMError)
    }

    /// What the guest got for a read: the first element, or all of a string's.
    public struct Answer: Hashable, Sendable {
        public var exit: VCPUExit
        public var elements: [UInt64]
    }

    private var steps: [Step]
    private var current: VCPUExit?
    private var elements: [UInt64] = []
    public private(set) var answers: [Answer] = []
    /// How often it was run.
    public private(set) var runCount = 0

    public init(_ steps: [Step]) {
        self.steps = steps.reversed()
    }

    public convenience init(exits: [VCPUExit]) {
        self.init(exits.map { .exit($0) })
    }

    public func run() throws(KVMError) -> VCPUExit {
        runCount += 1
        takeAnswer()
        switch steps.popLast() {
        case .exit(let exit): return enter(exit, nil)
        case .string(let exit, let elements): return enter(exit, elements)
        case .failure(let error): throw error
        case nil: return .shutdown
        }
    }

    private func takeAnswer() {
        switch current {
        case .portRead, .memoryRead: answers.append(Answer(exit: current ?? .shutdown, elements: elements))
        default: break
        }
        current = nil
        elements = []
    }

    private func enter(_ exit: VCPUExit, _ string: [UInt32]?) -> VCPUExit {
        current = exit
        switch exit {
        case .portRead(_, _, let count): elements = [UInt64](repeating: 0, count: Int(count))
        case .memoryRead: elements = [0]
        case .portWrite(_, _, let count, let value):
            elements = string?.map(UInt64.init) ?? [UInt64](repeating: UInt64(value), count: Int(count))
        case .memoryWrite(_, _, let value): elements = [value]
        default: break
        }
        return exit
    }

    public var answer: UInt64 {
        get { elements.first ?? 0 }
        set { for index in elements.indices { elements[index] = newValue } }
    }

    public func element(_ index: UInt32) -> UInt32 {
        Int(index) < elements.count ? UInt32(truncatingIfNeeded: elements[Int(index)]) : 0
    }

    public func setElement(_ index: UInt32, _ value: UInt32) {
        if Int(index) < elements.count { elements[Int(index)] = UInt64(value) }
    }
}
