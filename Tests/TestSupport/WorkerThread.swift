import Glibc

/// A thread that runs one closure, to be joined.
public final class WorkerThread: @unchecked Sendable {
    // @unchecked: the handle is written once, before anybody else sees it.
    private var handle: pthread_t = 0

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    public init(_ body: @escaping @Sendable () -> Void) {
        // The new thread takes over this one reference.
        let argument = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        let result = unsafe pthread_create(
            &handle, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, argument)
        precondition(result == 0, "pthread_create: \(result)")
    }

    /// Waits for its end; once only.
    public func join() {
        pthread_join(handle, nil)
    }
}
