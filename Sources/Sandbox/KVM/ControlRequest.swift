// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// ioctl(2) with a plain argument.
@discardableResult
func control(_ descriptor: BorrowedDescriptor, _ request: UInt, _ argument: Int = 0) throws(Errno) -> Int {
    try syscall(__NR_ioctl, descriptor.argument, Int(bitPattern: request), argument)
}

/// ioctl(2) with a structure of the kernel's, read or written in place.
@discardableResult
func control<Value>(
    _ descriptor: BorrowedDescriptor, _ request: UInt, with value: inout Value
) throws(Errno) -> Int {
    // The caller passes the structure that the request is defined with; the kernel keeps no address.
    try unsafe withUnsafeMutablePointer(to: &value) { (pointer) throws(Errno) in
        try unsafe syscall(__NR_ioctl, descriptor.argument, Int(bitPattern: request), pointer.argument)
    }
}

/// ioctl(2) with a structure that ends in an array, laid out by the caller.
@discardableResult
func control<Word: BitwiseCopyable>(
    _ descriptor: BorrowedDescriptor, _ request: UInt, with words: inout [Word]
) throws(Errno) -> Int {
    // The closure of withUnsafeMutableBytes carries no typed error.
    let answer = unsafe words.withUnsafeMutableBytes { bytes in
        unsafe cl_syscall(
            Int(__NR_ioctl), descriptor.argument, Int(bitPattern: request), bytes.argument, 0, 0, 0)
    }
    if answer < 0 { throw Errno(rawValue: Int32(truncatingIfNeeded: -answer)) }
    return answer
}
