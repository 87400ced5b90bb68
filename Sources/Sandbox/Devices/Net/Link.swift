// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Whether the device is connected, as its configuration space tells the driver.
final class Link: Sendable {
    private let state: Atomic<Bool>

    init(isUp: Bool) { state = Atomic(isUp) }

    var isUp: Bool { state.load(ordering: .relaxed) }

    func connect() { state.store(true, ordering: .relaxed) }

    /// - Returns: whether it was up.
    @discardableResult
    func cut() -> Bool { state.exchange(false, ordering: .relaxed) }
}
