// SPDX-License-Identifier: Apache-2.0
import Linux

/// What is there; an expectation cannot look into what cannot be copied.
func there<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw Errno.badFileDescriptor }
    return value
}
