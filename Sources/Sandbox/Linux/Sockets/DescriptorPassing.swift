// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Descriptors handed over a unix socket, SCM_RIGHTS of unix(7).
public enum DescriptorPassing {
    /// The kernel's limit for one message, SCM_MAX_FD.
    public static let limit = 253

    /// Sends `bytes` (at least one) with `descriptors` in one message.
    ///
    /// - Returns: how many of `bytes` were taken; the descriptors go with the first.
    public static func send(
        _ bytes: UnsafeRawBufferPointer, _ descriptors: [BorrowedDescriptor], on socket: BorrowedDescriptor
    ) throws(Errno) -> Int {
        guard descriptors.count <= limit else { throw .invalidArgument }
        var control = [UInt64](repeating: 0, count: descriptors.isEmpty ? 0 : words(descriptors.count))
        unsafe control.withUnsafeMutableBytes { buffer in
            guard !descriptors.isEmpty else { return }
            unsafe buffer.storeBytes(of: UInt64(16 + 4 * descriptors.count), toByteOffset: 0, as: UInt64.self)
            unsafe buffer.storeBytes(of: Int32(SOL_SOCKET), toByteOffset: 8, as: Int32.self)
            unsafe buffer.storeBytes(of: 1, toByteOffset: 12, as: Int32.self)
            for (index, descriptor) in descriptors.enumerated() {
                unsafe buffer.storeBytes(of: descriptor.rawValue, toByteOffset: 16 + 4 * index, as: Int32.self)
            }
        }
        let controlCount = descriptors.isEmpty ? 0 : 16 + 4 * descriptors.count
        let result = unsafe control.withUnsafeMutableBytes { buffer in
            var vector = unsafe cl_iovec(base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), count: bytes.count)
            return unsafe withUnsafeMutablePointer(to: &vector) { vector in
                var message = unsafe cl_msghdr()
                unsafe message.vectors = vector
                unsafe message.vector_count = 1
                unsafe message.control = controlCount == 0 ? nil : buffer.baseAddress
                unsafe message.control_count = controlCount
                return unsafe withUnsafeMutablePointer(to: &message) { message in
                    while true {
                        let sent = unsafe cl_syscall(
                            Int(__NR_sendmsg), socket.argument, message.argument, Int(MSG_NOSIGNAL), 0, 0, 0)
                        if sent != -Int(EINTR) { return sent }
                    }
                }
            }
        }
        if result < 0 { throw Errno(rawValue: Int32(-result)) }
        return result
    }

    /// One message: its descriptors, close-on-exec, are added to `list`. More than `maximum` of them are closed and
    /// answered with `EMSGSIZE`.
    ///
    /// - Returns: how many bytes were read into `buffer`; 0: the peer has closed.
    public static func receive(
        into buffer: UnsafeMutableRawBufferPointer, maximum: Int, descriptors list: inout DescriptorList,
        from socket: BorrowedDescriptor
    ) throws(Errno) -> Int {
        // Room for the kernel's limit, so that an excess is seen and closed rather than cut off.
        var control = [UInt64](repeating: 0, count: words(limit))
        var controlCount = 0
        let result = unsafe control.withUnsafeMutableBytes { controlBuffer in
            var vector = unsafe cl_iovec(base: buffer.baseAddress, count: buffer.count)
            return unsafe withUnsafeMutablePointer(to: &vector) { vector in
                var message = unsafe cl_msghdr()
                unsafe message.vectors = vector
                unsafe message.vector_count = 1
                unsafe message.control = controlBuffer.baseAddress
                unsafe message.control_count = controlBuffer.count
                let received = unsafe withUnsafeMutablePointer(to: &message) { message in
                    while true {
                        let received = unsafe cl_syscall(
                            Int(__NR_recvmsg), socket.argument, message.argument, Int(MSG_CMSG_CLOEXEC), 0, 0, 0)
                        if received != -Int(EINTR) { return received }
                    }
                }
                unsafe controlCount = message.control_count
                return received
            }
        }
        if result < 0 { throw Errno(rawValue: Int32(-result)) }
        var received = DescriptorList()
        unsafe control.withUnsafeBytes {
            unsafe takeRights(in: UnsafeRawBufferPointer(rebasing: $0[..<controlCount]), into: &received)
        }
        guard received.count <= maximum else { throw .messageTooLong }
        list.append(received)
        return result
    }

    /// The 64-bit words of a control message that holds `count` descriptors: a header of 16 bytes before them.
    static func words(_ count: Int) -> Int { 2 + (count + 1) / 2 }

    /// The descriptors of every SCM_RIGHTS message in `control`, cmsg(3).
    static func takeRights(in control: UnsafeRawBufferPointer, into descriptors: inout DescriptorList) {
        var start = 0
        while start + 16 <= control.count {
            let byteCount = unsafe Int(control.load(fromByteOffset: start, as: UInt64.self))
            guard byteCount >= 16, byteCount <= control.count - start else { break }
            let level = unsafe control.load(fromByteOffset: start + 8, as: Int32.self)
            let kind = unsafe control.load(fromByteOffset: start + 12, as: Int32.self)
            if level == Int32(SOL_SOCKET), kind == 1 {
                for offset in stride(from: start + 16, to: start + byteCount, by: 4) {
                    unsafe descriptors.append(
                        FileDescriptor(owning: control.load(fromByteOffset: offset, as: Int32.self)))
                }
            }
            start += (byteCount + 7) & ~7
        }
    }
}
