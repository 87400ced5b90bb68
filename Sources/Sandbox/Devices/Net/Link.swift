import Synchronization

/// Whether the device is connected, as its configuration space tells the driver.
final class Link: Sendable {
    private let state = Atomic<Bool>(true)

    var isUp: Bool { state.load(ordering: .relaxed) }

    /// - Returns: whether it was up.
    func cut() -> Bool { state.exchange(false, ordering: .relaxed) }
}
