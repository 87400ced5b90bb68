// SPDX-License-Identifier: Apache-2.0
/// Structures made here and handed to the guest.
extension GuestMemory {
    /// Copies `bytes` to `address`; all must lie in one region.
    public func write(_ bytes: [UInt8], at address: GuestAddress) throws(GuestMemoryError) {
        let target = try slice(at: address, byteCount: UInt64(bytes.count))
        // slice checked that the target has room for every byte of the array.
        unsafe bytes.withUnsafeBytes { source in unsafe target.withBytes { unsafe $0.copyMemory(from: source) } }
    }
}
