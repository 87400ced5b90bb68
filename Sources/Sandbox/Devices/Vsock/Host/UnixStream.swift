// SPDX-License-Identifier: Apache-2.0
import CLinux
internal import GuestMemory
internal import Linux

/// One connection's host end, a unix stream socket.
final class UnixStream: HostStream {
    let socket: FileDescriptor

    /// How many pieces one system call takes here; Linux guests send and offer one or two.
    private static let vectorLimit = 64

    init(socket: consuming FileDescriptor) {
        self.socket = socket
    }

    func receive(into slices: [GuestSlice]) throws(Errno) -> Int {
        // The kernel alone uses the vectors, within the call.
        try unsafe inPieces(slices) { (vectors) throws(Errno) in
            try unsafe VectoredIO.receive(into: vectors, on: socket.borrowed)
        }
    }

    func send(_ slices: [GuestSlice]) throws(Errno) -> Int {
        // The kernel alone uses the vectors, within the call.
        try unsafe inPieces(slices) { (vectors) throws(Errno) in
            try unsafe VectoredIO.send(vectors, on: socket.borrowed)
        }
    }

    func send(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
        var failure: Errno?
        // Sent within the closure.
        let count = unsafe bytes.withUnsafeBytes { buffer in
            // The kernel only reads through this pointer.
            var vector = unsafe cl_iovec(
                base: UnsafeMutableRawPointer(mutating: buffer.baseAddress), count: buffer.count)
            // One vector, which the call reads.
            return unsafe withUnsafeMutablePointer(to: &vector) { pointer in
                do throws(Errno) {
                    // The pointer is to one vector.
                    return try unsafe VectoredIO.send(
                        UnsafeMutableBufferPointer(start: pointer, count: 1), on: socket.borrowed)
                } catch {
                    failure = error
                    return 0
                }
            }
        }
        if let failure { throw failure }
        return count
    }

    func endSending() {
        // A socket whose peer has gone has no end to be told of.
        try? UnixSocket.shutdownWriting(socket.borrowed)
    }

    func endReceiving() {
        try? UnixSocket.shutdownReading(socket.borrowed)
    }

    /// Calls `body` for as many slices at a time as one call takes, until one was not moved whole.
    private func inPieces(
        _ slices: [GuestSlice], _ body: (UnsafeMutableBufferPointer<cl_iovec>) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        var total = 0
        var start = 0
        while start < slices.count {
            let end = min(start + Self.vectorLimit, slices.count)
            let piece = slices[start..<end]
            let wanted = piece.reduce(0) { $0 + $1.count }
            do {
                // Filled up to the count that is handed on, and gone with the closure.
                let moved = try unsafe withUnsafeTemporaryAllocation(of: cl_iovec.self, capacity: end - start) {
                    (vectors) throws(Errno) in
                    for (index, slice) in piece.enumerated() {
                        // The guest's memory stays mapped for longer than the call lasts.
                        unsafe slice.withBytes { buffer in
                            unsafe vectors.initializeElement(
                                at: index, to: cl_iovec(base: buffer.baseAddress, count: buffer.count))
                        }
                    }
                    // All of them are filled.
                    return try unsafe body(vectors)
                }
                total += moved
                if moved < wanted { return total }
            } catch {
                // What was moved counts; the error comes again with the next call.
                if total > 0 { return total }
                throw error
            }
            start = end
        }
        return total
    }
}
