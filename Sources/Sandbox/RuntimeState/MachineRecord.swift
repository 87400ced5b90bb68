// SPDX-License-Identifier: Apache-2.0
/// What is kept of a virtual machine with the container it was made for.
public struct MachineRecord: Codable, Equatable, Sendable {
    /// The guest's memory, in bytes.
    public var memoryByteCount: UInt64
    /// What the machine's programs take besides, in bytes, at most.
    public var overheadByteCount: UInt64
    /// Whether other containers may join: it is a pod's.
    public var isShared = false
    /// The name by which those who join may know the pod, where that is not the container's id.
    public var podName: String?
    /// The host's limit on all of its processes' memory, in bytes, before a container joined; nil: none.
    public var memoryLimitAlone: UInt64?
    /// Those who joined, by id, each with the bytes of memory it may use; 0: no limit.
    public var members: [String: UInt64] = [:]
    /// The files and block devices that it may write, absolute.
    public var writableDisks: [String] = []
    /// Its network devices; nil where an earlier version made it, without any.
    public var network: MachineNetwork?

    /// A machine with this much memory for its guest, and beside it for its programs.
    public init(memoryByteCount: UInt64, overheadByteCount: UInt64) {
        self.memoryByteCount = memoryByteCount
        self.overheadByteCount = overheadByteCount
    }

    /// The bytes of host memory that the machine and all in it may use; nil: no limit. Never more than there can be.
    public var memoryLimit: UInt64? {
        guard let memoryLimitAlone else { return nil }
        let most = memoryByteCount + overheadByteCount
        var limit = memoryLimitAlone
        for member in members.values {
            let (sum, overflow) = limit.addingReportingOverflow(member)
            if member == 0 || overflow || sum >= most { return most }
            limit = sum
        }
        return min(limit, most)
    }
}
