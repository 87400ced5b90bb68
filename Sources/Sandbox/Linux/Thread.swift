import Glibc

/// A thread of the C library, for programs that run without Swift Concurrency. Join every thread started.
@safe public final class Thread {
    private var handle: pthread_t?

    /// What a new thread is handed: its work, owned until it begins.
    private final class Start {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Starts `body` on a stack of `stackByteCount` bytes (a multiple of the page size), under `name`, of
    /// which ps shows 15 bytes.
    public init(name: String, stackByteCount: Int = 256 << 10, _ body: @escaping @Sendable () -> Void) throws(Errno) {
        var attributes = pthread_attr_t()
        var code = unsafe pthread_attr_init(&attributes)
        guard code == 0 else { throw Errno(rawValue: code) }
        defer { unsafe pthread_attr_destroy(&attributes) }
        code = unsafe pthread_attr_setstacksize(&attributes, stackByteCount)
        guard code == 0 else { throw Errno(rawValue: code) }
        let start = Start {
            Process.setName(name)
            body()
        }
        var created = pthread_t()
        // The new thread takes the reference over; where there is none, it is taken back here.
        let reference = unsafe Unmanaged.passRetained(start)
        code = unsafe pthread_create(
            &created, &attributes,
            { argument in
                if let argument = unsafe argument {
                    unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
                }
                return nil
            }, reference.toOpaque())
        guard code == 0 else {
            unsafe reference.release()
            throw Errno(rawValue: code)
        }
        handle = created
    }

    /// Waits for the thread to end. Only the first call waits.
    public func join() {
        guard let handle else { return }
        self.handle = nil
        unsafe _ = pthread_join(handle, nil)
    }
}
