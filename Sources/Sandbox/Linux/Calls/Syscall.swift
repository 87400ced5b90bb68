// SPDX-License-Identifier: Apache-2.0
public import CLinux

/// The door to the kernel. Pointers passed as arguments must be valid for the call.
///
/// - Returns: what the kernel returned, never negative.
/// - Throws: the Errno the kernel returned. `EINTR` is passed on: use ``retrying(_:)`` where a
///   signal is no reason to stop.
@discardableResult
@inlinable
public func syscall(
    _ number: Int32, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0, _ f: Int = 0
) throws(Errno) -> Int {
    let result = cl_syscall(Int(number), a, b, c, d, e, f)
    if result < 0 { throw Errno(rawValue: Int32(truncatingIfNeeded: -result)) }
    return result
}

/// Runs `body` until it ends otherwise than by `EINTR`.
@inlinable
public func retrying<Result: ~Copyable>(_ body: () throws(Errno) -> Result) throws(Errno) -> Result {
    while true {
        do {
            return try body()
        } catch  where error == .interrupted {
            continue
        }
    }
}

extension UnsafePointer {
    /// The address, as an argument of a system call.
    @inlinable public var argument: Int { Int(bitPattern: self) }
}

extension UnsafeMutablePointer {
    /// The address, as an argument of a system call.
    @inlinable public var argument: Int { Int(bitPattern: self) }
}

extension UnsafeRawPointer {
    /// The address, as an argument of a system call.
    @inlinable public var argument: Int { Int(bitPattern: self) }
}

extension UnsafeMutableRawPointer {
    /// The address, as an argument of a system call.
    @inlinable public var argument: Int { Int(bitPattern: self) }
}

extension UnsafeMutableRawBufferPointer {
    /// The address of the first byte, as an argument of a system call; 0 when empty.
    @inlinable public var argument: Int { Int(bitPattern: baseAddress) }
}

extension UnsafeRawBufferPointer {
    /// The address of the first byte, as an argument of a system call; 0 when empty.
    @inlinable public var argument: Int { Int(bitPattern: baseAddress) }
}

/// Calls `body` with the bytes of `path` and a terminating NUL.
///
/// - Throws: `EINVAL` where `path` holds a NUL itself: the kernel would see a shorter name.
@inlinable
public func withPath<Result: ~Copyable>(
    _ path: String, _ body: (Int) throws(Errno) -> Result
) throws(Errno) -> Result {
    if path.utf8.contains(0) { throw .invalidArgument }
    var bytes = ContiguousArray(path.utf8)
    bytes.append(0)
    // The closure of withUnsafeBufferPointer cannot carry a typed error of a ~Copyable result.
    let count = bytes.count
    let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: count)
    unsafe bytes.withUnsafeBufferPointer { unsafe copy.initialize(from: $0.baseAddress!, count: count) }
    defer { unsafe copy.deallocate() }
    return try body(unsafe copy.argument)
}
