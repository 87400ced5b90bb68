// SPDX-License-Identifier: Apache-2.0
import CLinux

/// eventfd(2): a counter one side adds to and the other waits for. Not blocking.
public struct EventFD: ~Copyable, Sendable {
    /// Readable while the counter is not zero.
    public let descriptor: FileDescriptor

    /// A counter of zero.
    public init() throws(Errno) {
        descriptor = FileDescriptor(
            owning: Int32(try syscall(__NR_eventfd2, 0, CL_EFD_CLOEXEC | CL_EFD_NONBLOCK)))
    }

    /// Takes a descriptor that a peer made, as a vhost-user kick or call.
    public init(owning descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Adds one, which wakes all that wait. A counter that is full wakes as well, so `EAGAIN` is no error.
    public borrowing func signal() {
        var one: UInt64 = 1
        unsafe withUnsafeMutablePointer(to: &one) { pointer in
            _ = unsafe cl_syscall(Int(__NR_write), Int(descriptor.rawValue), pointer.argument, 8, 0, 0, 0)
        }
    }

    /// Resets the counter to zero and tells whether it was set.
    @discardableResult
    public borrowing func drain() -> Bool {
        var count: UInt64 = 0
        return unsafe withUnsafeMutablePointer(to: &count) { pointer in
            unsafe cl_syscall(Int(__NR_read), Int(descriptor.rawValue), pointer.argument, 8, 0, 0, 0) == 8
        }
    }
}
