// SPDX-License-Identifier: Apache-2.0
internal import SandboxPlan
internal import CLinux
internal import GuestMemory
internal import Linux
internal import Virtio

/// Where the bytes come from, and how many have: what outlives a driver's reset. One loop's.
final class EntropySource {
    private var limiter: RateLimiter
    let requests = Counter()
    let writtenBytes = Counter()
    /// Times that requests had to wait for the limit.
    let limited = Counter()

    /// The most bytes one request gets, however many it has room for: a device may give less than asked, §5.4.6.2.
    static let requestLimit = 64 * 1024

    init(_ limits: RateLimits) { limiter = RateLimiter(limits, now: .now) }

    /// When the next request may be filled; nil for now.
    func nextPass(now: ContinuousClock.Instant) -> ContinuousClock.Instant? { limiter.nextPass(now: now) }

    /// Fills the buffers of `chain` from the first on.
    ///
    /// - Returns: the bytes written, at least one.
    func fill(_ chain: DescriptorChain) throws(VirtioError) -> Int {
        guard chain.readable.isEmpty else { throw .readableBuffer(head: chain.head) }
        guard !chain.writable.isEmpty else { throw .chainTooShort(head: chain.head) }
        var written = 0
        for slice in chain.writable where written < Self.requestLimit {
            let count = min(slice.count, Self.requestLimit - written)
            do throws(Errno) {
                try Self.fill(slice, count)
            } catch {
                throw .activation(operation: "getrandom", errno: error.rawValue)
            }
            written += count
        }
        requests.add()
        writtenBytes.add(UInt64(written))
        limiter.charge(bytes: UInt64(written))
        return written
    }

    /// getrandom(2) over the first `count` bytes of `slice`. It waits for nothing: a host that runs machines has
    /// long seeded its pool.
    private static func fill(_ slice: GuestSlice, _ count: Int) throws(Errno) {
        // The slice has `count` bytes at least, and the kernel writes no more.
        try unsafe slice.withBytes { (bytes) throws(Errno) in
            var done = 0
            while done < count {
                // A signal may cut a long read short.
                done += try retrying { () throws(Errno) in
                    // Within the `count` bytes.
                    unsafe try syscall(__NR_getrandom, bytes.argument + done, count - done, 0)
                }
            }
        }
    }
}
