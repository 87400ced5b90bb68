// SPDX-License-Identifier: Apache-2.0
import Glibc
import GuestMemory
import Linux
import Synchronization
public import Virtio

/// A device that returns what it is sent: the readable bytes of each chain, copied to the writable ones. What
/// breaks a queue is kept in ``failures``, and the queue then left alone.
public final class EchoDevice: VirtioDevice, @unchecked Sendable {
    // @unchecked: the queues are the worker's from activate to reset, which waits for its end.
    public let type: VirtioDeviceType
    public let features: UInt64
    public let queueSizes: [UInt16]
    /// The fewest queues it can do with.
    private let required: Int

    private let record: Mutex<Record>
    private var worker: Thread?
    private let stopping: EventFD

    public struct Record: Sendable {
        public var activations: [[Int]] = []
        public var resets = 0
        public var features: UInt64 = 0
        public var chains = 0
        public var failures: [VirtioError] = []
        public var configuration: [UInt8]
    }

    /// What the driver's transport is told by.
    private struct Signals {
        var configurationChanged: @Sendable () -> Void = {}
        var failed: @Sendable (VirtioError) -> Void = { _ in }
    }
    private let signals = Mutex(Signals())

    public init(
        type: VirtioDeviceType = .vsock, features: UInt64 = 0, queueSizes: [UInt16] = [128, 128],
        configuration: [UInt8] = [3, 0, 0, 0, 0, 0, 0, 0], requiredQueues: Int = 0
    ) throws {
        self.type = type
        self.features = features
        self.queueSizes = queueSizes
        record = Mutex(Record(configuration: configuration))
        required = requiredQueues
        stopping = try EventFD()
    }

    public var seen: Record { record.withLock { $0 } }

    /// All of it is the driver's to write.
    public var configuration: [UInt8] { record.withLock { $0.configuration } }

    public func writeConfiguration(offset: Int, bytes: [UInt8]) {
        record.withLock { $0.configuration.replaceSubrange(offset..<(offset + bytes.count), with: bytes) }
    }

    /// Changes the configuration space from the host's side.
    public func change(configuration: [UInt8]) {
        record.withLock { $0.configuration = configuration }
        signals.withLock { $0.configurationChanged }()
    }

    /// Breaks, as if the driver had broken it.
    public func fail(_ error: VirtioError) { signals.withLock { $0.failed }(error) }

    public func activate(_ activation: consuming VirtioActivation) throws(VirtioError) {
        for index in 0..<required where activation.queues[index] == nil { throw .queueMissing(index) }
        let queues = Queues(memory: activation.memory, activation.queues)
        let features = activation.features
        let told = Signals(configurationChanged: activation.configurationChanged, failed: activation.failed)
        signals.withLock { $0 = told }
        record.withLock {
            $0.activations.append(queues.all.indices.filter { queues.all[$0] != nil })
            $0.features = features
        }
        stopping.drain()
        do throws(Errno) {
            worker = try Thread(named: "echo") { [self] in run(queues) }
        } catch {
            throw .activation(operation: "pthread_create", errno: error.rawValue)
        }
    }

    public func reset() {
        guard let worker = worker.take() else { return }
        stopping.signal()
        worker.join()
        record.withLock { $0.resets += 1 }
    }

    /// Hands the queues to the worker, which owns them alone, and keeps their memory.
    private final class Queues: @unchecked Sendable {
        let memory: GuestMemory
        let all: [Virtqueue?]
        init(memory: GuestMemory, _ all: [Virtqueue?]) {
            self.memory = memory
            self.all = all
        }
    }

    private func run(_ queues: Queues) {
        var broken: Set<UInt64> = []
        do {
            let epoll = try Epoll()
            try epoll.add(stopping.descriptor.borrowed, .readable, token: .max)
            for (index, queue) in queues.all.enumerated() {
                if let queue { try epoll.add(queue.kick.descriptor.borrowed, .readable, token: UInt64(index)) }
            }
            while true {
                for event in try epoll.wait() {
                    if event.token == .max { return }
                    guard let queue = queues.all[Int(event.token)] else { continue }
                    queue.kick.drain()
                    if broken.contains(event.token) { continue }
                    do { try serve(queue) } catch {
                        broken.insert(event.token)
                        record.withLock { $0.failures.append(error) }
                    }
                }
            }
        } catch {
            record.withLock { $0.failures.append(.activation(operation: "epoll", errno: error.rawValue)) }
        }
    }

    private func serve(_ queue: Virtqueue) throws(VirtioError) {
        repeat {
            queue.disableKicks()
            while let chain = try queue.next() {
                try queue.complete(chain.head, byteCount: EchoDevice.echo(chain))
                record.withLock { $0.chains += 1 }
            }
            queue.notify()
        } while queue.enableKicks()
    }

    /// Copies what is readable to what is writable, as far as both go.
    public static func echo(_ chain: DescriptorChain) -> UInt32 {
        var bytes = chain.readable.flatMap { $0.bytes() }[...]
        var written = 0
        for slice in chain.writable where !bytes.isEmpty {
            let part = bytes.prefix(slice.count)
            // The part is no longer than the slice.
            unsafe part.withUnsafeBytes { unsafe try? slice.copy($0, to: 0) }
            bytes = bytes.dropFirst(part.count)
            written += part.count
        }
        return UInt32(written)
    }
}
