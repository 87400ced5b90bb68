// SPDX-License-Identifier: Apache-2.0
extension VhostUserRequest {
    /// Whether the back-end answers with a payload of the request's own.
    var hasReply: Bool {
        switch self {
        case .getFeatures, .getProtocolFeatures, .getQueueCount, .getRingBase, .getConfiguration, .getMemorySlots:
            true
        default: false
        }
    }

    /// Holds a message against what its request takes, so that its handler need not.
    func check(payload: Payload, descriptorCount: Int) throws(VhostUserError) {
        let expected: Int
        var descriptors = 0...0
        switch self {
        case .getFeatures, .setOwner, .resetOwner, .getProtocolFeatures, .getQueueCount, .resetDevice,
            .getMemorySlots:
            expected = 0
        case .setFeatures, .setProtocolFeatures, .setRingSize, .setRingBase, .getRingBase, .setRingEnable:
            expected = 8
        case .setRingAddress:
            expected = RingAddressMessage.size
        case .setRingKick, .setRingCall, .setRingError:
            expected = 8
            if payload.bytes.count == 8 {
                let comes = payload.load(UInt64.self, at: 0) & Wire.noDescriptor == 0
                descriptors = comes ? 1...1 : 0...0
            }
        case .addMemoryRegion:
            expected = 8 + RegionMessage.size
            descriptors = 1...1
        case .removeMemoryRegion:
            expected = 8 + RegionMessage.size
            // Some front-ends send one, which is closed unused.
            descriptors = 0...1
        case .setMemoryTable:
            let count = payload.bytes.count >= 8 ? Int(payload.load(UInt32.self, at: 0)) : 0
            expected = 8 + RegionMessage.size * min(count, Wire.regionLimit)
            descriptors = count...count
        case .getConfiguration, .setConfiguration:
            let size = payload.bytes.count >= 12 ? Int(payload.load(UInt32.self, at: 4)) : 0
            expected = 12 + min(size, Wire.configurationLimit)
        case .setLogBase, .setLogFile:
            // Refused whatever they say.
            return
        }
        guard payload.bytes.count == expected else {
            throw .payloadSize(request: rawValue, byteCount: UInt32(payload.bytes.count))
        }
        guard descriptors.contains(descriptorCount) else {
            throw .descriptorCount(request: rawValue, descriptorCount)
        }
    }
}
