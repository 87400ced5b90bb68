// SPDX-License-Identifier: Apache-2.0
public import Linux

/// What a device does between activation and reset, on the loop that all devices of a machine share.
public protocol DeviceWork: AnyObject {
    /// A descriptor that is readable when there is something to do, level-triggered: an epoll instance of the
    /// device's own, or an eventfd. It stays the same, and open, for as long as the work is on a loop.
    var readiness: BorrowedDescriptor { get }

    /// Does what there is to do without waiting, and no more than a fair share of it: other devices wait
    /// meanwhile. Called once at the beginning, when ``readiness`` is readable, and when the deadline last returned
    /// has passed.
    ///
    /// - Returns: when to be called again at the latest; `now` where there is more to do at once, nil where
    ///   ``readiness`` tells.
    /// - Throws: what the driver or the host broke. The work is then taken off its loop.
    func work(now: ContinuousClock.Instant) throws(VirtioError) -> ContinuousClock.Instant?
}
