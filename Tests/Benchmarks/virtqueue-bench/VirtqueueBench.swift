// SPDX-License-Identifier: Apache-2.0
import Linux
import TestSupport
import Virtio

/// What the device's half of a virtqueue costs: taking a chain of three descriptors and returning it, in
/// nanoseconds, the median of several rounds.
enum VirtqueueBench {
    static let rounds = 21
    static let chains = 200_000

    static func main() {
        do {
            for (name, indirect) in [("virtqueue chain of 3", false), ("virtqueue indirect chain of 3", true)] {
                var samples: [Double] = []
                for _ in 0..<rounds { samples.append(try sample(indirect: indirect)) }
                samples.sort()
                print("\(name)\t\(samples[rounds / 2])\tns")
            }
        } catch {
            print("virtqueue-bench: \(error)")
        }
    }

    /// The driver's side is one ring full of requests, offered again and again by moving its index alone.
    static func sample(indirect: Bool) throws -> Double {
        let size: UInt16 = 256
        let memory = try MockMemory()
        let driver = try MockQueue(memory, size: size, features: MockDriver.usualFeatures)
        let first = try memory.allocate(64)
        let second = try memory.allocate(4096)
        let third = try memory.allocate(4096)
        let perRing = indirect ? Int(size) : Int(size) / 3
        var heads: [UInt16] = []
        for _ in 0..<perRing {
            heads.append(try driver.add(readable: [first, second], writable: [third], indirect: indirect))
        }
        // Every slot of the ring names a good chain.
        for slot in 0..<Int(size) { try driver.available.store(heads[slot % perRing], at: 4 + 2 * slot) }
        let queue = try driver.deviceQueue()
        var index: UInt16 = 0
        var bytes = 0
        var done = 0
        let clock = ContinuousClock()
        let start = clock.now
        while done < chains {
            index &+= size
            try driver.available.storeRelease(index, at: 2)
            while let chain = try queue.next() {
                bytes &+= chain.readable.count &+ chain.writable.count
                try queue.complete(chain.head, byteCount: 64)
                done += 1
            }
        }
        let elapsed = clock.now - start
        precondition(bytes == 3 * done)
        let (seconds, attoseconds) = elapsed.components
        return (Double(seconds) * 1e9 + Double(attoseconds) / 1e9) / Double(done)
    }
}
