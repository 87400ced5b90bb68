// SPDX-License-Identifier: Apache-2.0
/// Feature bits of the device that are offered, virtio 1.2 §5.5.3.
///
/// Not offered: MUST_TELL_HOST, as a page comes back by being touched; FREE_PAGE_HINT, which serves migration; and
/// PAGE_POISON: a guest that poisons its free pages then leaves out reporting them.
enum BalloonFeature {
    static let statistics: UInt64 = 1 << 1
    static let deflateOnOutOfMemory: UInt64 = 1 << 2
    static let pageReporting: UInt64 = 1 << 5
}
