import CLinux
import Glibc
import Linux

/// Carries bytes from one descriptor to another, and the end of the stream after them. Bounded: what the sink
/// does not take is not read from the source.
struct StreamPump: ~Copyable {
    /// As much as a pipe holds.
    static let bufferByteCount = 65536

    let source: FileDescriptor
    let sink: FileDescriptor
    /// The sink is a socket to the guest: its end of file is a half-closed connection.
    let endsByShutdown: Bool
    private var buffer = [UInt8](repeating: 0, count: bufferByteCount)
    private var start = 0
    private var end = 0
    private var sourceEnded = false
    /// Reading found nothing, so that poll(2) will tell of what comes.
    private var isDrained = false
    /// Nothing more will be carried.
    private(set) var isFinished = false

    init(from source: consuming FileDescriptor, to sink: consuming FileDescriptor, endsByShutdown: Bool) {
        self.source = source
        self.sink = sink
        self.endsByShutdown = endsByShutdown
    }

    /// What to wait for: the source while the buffer is empty, the sink while it is not.
    var interest: (descriptor: Int32, events: Int16)? {
        if isFinished { return nil }
        return start < end ? (sink.rawValue, Int16(POLLOUT)) : (source.rawValue, Int16(POLLIN))
    }

    /// The source is to be read before it is waited for: a fifo that was opened anew when its writers had gone never
    /// tells poll(2) of its end, and read(2) at once.
    var isToBeRead: Bool { !isFinished && start == end && !isDrained }

    /// Does what can be done without waiting. True where bytes moved.
    mutating func advance() -> Bool {
        guard !isFinished else { return false }
        if start == end { fill() }
        guard start < end else {
            if sourceEnded { finish() }
            return false
        }
        let written = write()
        if written > 0 { start += written }
        return written > 0
    }

    private mutating func fill() {
        let result = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe cl_syscall(Int(__NR_read), Int(source.rawValue), bytes.argument, bytes.count, 0, 0, 0)
        }
        (start, end) = (0, max(result, 0))
        isDrained = result == -Int(EAGAIN)
        // A pty whose other side is gone reads as EIO; a reset connection is an end as well.
        if result == 0 || (result < 0 && result != -Int(EAGAIN) && result != -Int(EINTR)) { sourceEnded = true }
    }

    /// The number of bytes taken; a sink that refuses for good ends the pump, and the source learns of it.
    private mutating func write() -> Int {
        let result = unsafe buffer.withUnsafeBytes { bytes in
            unsafe cl_syscall(
                Int(__NR_write), Int(sink.rawValue), bytes.argument + start, end - start, 0, 0, 0)
        }
        if result >= 0 { return result }
        if result == -Int(EAGAIN) || result == -Int(EINTR) { return 0 }
        // EPIPE: whoever read has left. Reading no more makes the guest's writer see the same; what the caller
        // gave as input is not ours to shut.
        if !endsByShutdown { try? UnixSocket.shutdownReading(source.rawValue) }
        isFinished = true
        return 0
    }

    private mutating func finish() {
        isFinished = true
        if endsByShutdown { try? UnixSocket.shutdownWriting(sink.rawValue) }
    }
}
