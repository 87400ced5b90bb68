// SPDX-License-Identifier: Apache-2.0
public import GuestMemory
public import Linux
public import Virtio

/// What goes wrong between a vhost-user front-end and a back-end.
public enum VhostUserError: Error, Equatable {
    /// The socket failed.
    case receive(Errno)
    case send(request: UInt32, Errno)
    /// The peer hung up in the middle of a message.
    case truncated(byteCount: Int, expected: Int)
    /// A header whose flags tell another version, or a reply where a request should be.
    case flags(request: UInt32, UInt32)
    /// A request this back-end does not know or did not offer.
    case unknownRequest(UInt32)
    /// A payload whose size does not fit its request.
    case payloadSize(request: UInt32, byteCount: UInt32)
    /// Fewer or more descriptors than the request takes.
    case descriptorCount(request: UInt32, Int)
    /// Features that were not offered.
    case features(UInt64)
    case protocolFeatures(UInt64)
    /// A ring the device does not have.
    case ringIndex(UInt32, count: Int)
    /// A ring's size that is no power of two, or larger than the device's queue.
    case ringSize(index: Int, UInt32)
    /// A ring's base that does not fit 16 bits.
    case ringBase(index: Int, UInt32)
    /// A front-end address of a ring that lies in no region of its memory.
    case ringAddress(index: Int, UInt64)
    /// A ring, or what all rings share, changed in a way that takes stopping it first.
    case ringRunning(index: Int)
    /// A kick or call descriptor that is none.
    case ringDescriptor(index: Int, Errno)
    /// A memory table that cannot be mapped.
    case memory(GuestMemoryError)
    /// More regions than ``Wire/memorySlots``, or a region to take away that is not there.
    case memoryRegion(start: GuestAddress, byteCount: UInt64)
    /// What this back-end refuses by name: dirty logging, or writing a read-only configuration space.
    case notSupported(request: UInt32)
    /// The device did not start.
    case device(VirtioError)
    /// The back-end answered a request with an error.
    case refused(request: UInt32, UInt64)
    /// The back-end's answer is to something else.
    case unexpectedReply(request: UInt32, reply: UInt32)
}
