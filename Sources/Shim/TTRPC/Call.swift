// SPDX-License-Identifier: Apache-2.0
/// One request, to be answered once, now or later, on the server's thread. What is dropped unanswered is answered
/// with `internal`.
public final class Call {
    /// The full name of the service.
    public let service: String
    /// The name of the method.
    public let method: String
    /// The message of the method.
    public let payload: [UInt8]
    /// How long the peer waits, from when the request came; nil: for ever. Once it has passed the server answers
    /// `deadlineExceeded` by itself.
    public let timeout: Duration?

    private weak var connection: ServerConnection?
    private let stream: UInt32

    init(
        service: String, method: String, payload: [UInt8], timeout: Duration?, stream: UInt32,
        of connection: ServerConnection
    ) {
        self.service = service
        self.method = method
        self.payload = payload
        self.timeout = timeout
        self.stream = stream
        self.connection = connection
    }

    deinit {
        connection?.finish(stream, .failure(Failure(.internal, "\(service)/\(method): dropped without an answer")))
    }

    /// Whether the peer no longer waits for an answer: it was given, the peer hung up, or its time has passed.
    public var isGone: Bool { connection?.waits(stream) != true }

    /// Answers with the method's message; without effect where the call is gone.
    public func answer(_ payload: [UInt8]) {
        connection?.finish(stream, .success(payload))
    }

    /// Answers that there is none; without effect where the call is gone.
    public func fail(_ failure: Failure) {
        connection?.finish(stream, .failure(failure))
    }
}
