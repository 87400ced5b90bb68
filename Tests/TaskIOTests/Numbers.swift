import Linux

/// What is there; an expectation cannot look into what cannot be copied.
func number(_ value: Int32?) throws -> Int32 {
    guard let value else { throw Errno.badFileDescriptor }
    return value
}
