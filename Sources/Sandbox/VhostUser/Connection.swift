// SPDX-License-Identifier: Apache-2.0
import Glibc
import GuestMemory
import Linux

/// One message of the other side, header and payload, with the descriptors that came along.
struct Message: ~Copyable {
    let request: UInt32
    let flags: UInt32
    let payload: Payload
    /// Owned: whatever is not taken out is closed with the message.
    var descriptors: DescriptorList
}

/// The socket between a front-end and a back-end, and the framing on it.
struct Connection: ~Copyable {
    let socket: FileDescriptor

    /// The next message, or nil where the peer has hung up between two.
    ///
    /// - Parameter deadline: when all of it must have come; nil waits for ever.
    func receive(until deadline: Deadline? = nil) throws(VhostUserError) -> Message? {
        var descriptors = DescriptorList()
        guard let header = try read(Wire.headerSize, descriptors: &descriptors, deadline) else { return nil }
        let request = header.load(UInt32.self, at: 0)
        let flags = header.load(UInt32.self, at: 4)
        let byteCount = header.load(UInt32.self, at: 8)
        guard flags & Wire.versionMask == Wire.version else { throw .flags(request: request, flags) }
        guard byteCount <= UInt32(Wire.payloadLimit) else {
            throw .payloadSize(request: request, byteCount: byteCount)
        }
        var late = DescriptorList()
        guard let payload = try read(Int(byteCount), descriptors: &late, deadline) else {
            throw .truncated(byteCount: 0, expected: Int(byteCount))
        }
        // Descriptors belong to the header's bytes.
        guard late.count == 0 else { throw .descriptorCount(request: request, late.count) }
        return Message(request: request, flags: flags, payload: payload, descriptors: descriptors)
    }

    /// `byteCount` bytes, and the descriptors sent with the first of them; nil at the end of the stream.
    private func read(
        _ byteCount: Int, descriptors: inout DescriptorList, _ deadline: Deadline?
    ) throws(VhostUserError) -> Payload? {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        var done = 0
        while done < byteCount {
            let count: Int
            var received = DescriptorList()
            do throws(Errno) {
                if let deadline, try Poll.wait(socket.borrowed, .readable, until: deadline).isEmpty { throw .timedOut }
                // The array outlives the call, and the kernel writes within what it is given.
                count = try unsafe bytes.withUnsafeMutableBytes { buffer in
                    Result { () throws(Errno) in
                        // Within the array: `done` is less than its count.
                        try unsafe DescriptorPassing.receive(
                            into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]),
                            maximum: Wire.regionLimit, descriptors: &received, from: socket.borrowed)
                    }
                }.get()
            } catch  where error == .connectionReset && done == 0 {
                return nil
            } catch {
                throw .receive(error)
            }
            if !received.isEmpty {
                guard done == 0 else { throw .descriptorCount(request: 0, received.count) }
                descriptors = received
            }
            if count == 0 {
                if done == 0 { return nil }
                throw .truncated(byteCount: done, expected: byteCount)
            }
            done += count
        }
        return Payload(bytes)
    }

    /// Sends one message whole; the descriptors are lent.
    func send(
        request: UInt32, flags: UInt32, _ payload: Payload, descriptors: [BorrowedDescriptor] = []
    ) throws(VhostUserError) {
        var message = Payload()
        message.append(request)
        message.append(flags | Wire.version)
        message.append(UInt32(payload.bytes.count))
        let bytes = message.bytes + payload.bytes
        var done = 0
        do throws(Errno) {
            while done < bytes.count {
                // The array outlives the call, which reads within its bounds.
                done += try unsafe bytes.withUnsafeBytes { buffer in
                    Result { () throws(Errno) in
                        // Within the array: `done` is less than its count.
                        try unsafe DescriptorPassing.send(
                            UnsafeRawBufferPointer(rebasing: buffer[done...]), done == 0 ? descriptors : [],
                            on: socket.borrowed)
                    }
                }.get()
            }
        } catch {
            throw .send(request: request, error)
        }
    }
}
