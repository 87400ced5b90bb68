// SPDX-License-Identifier: Apache-2.0
import CExitLoop
import CLinux
import Glibc
import KVM
import Linux

/// Exits a second through our loop in Swift and through the same loop in C, by turns in one process, and of this
/// thread's processor time, as nobody else's is of interest. A line a figure: name, ours, the peer's, all medians,
/// separated by tabs.
enum ExitsBench {
    /// At most, and as many as there is time for.
    static let rounds = 151
    static let secondsAGuest = 10

    enum Failure: Error {
        case peer(Errno)
        case exit(String)
        /// The two did not see the same.
        case sums(UInt64, UInt64)
        case noSignal
    }

    static func main() {
        do {
            for guest in Guest.allCases {
                let (ours, peer) = try measure(guest)
                print("\(guest.name)\t\(ours.rounded())\t\(peer.rounded())")
            }
        } catch {
            print("exits-bench: \(error)")
            exit(1)
        }
    }

    static func measure(_ guest: Guest) throws -> (ours: Double, peer: Double) {
        let kvm = FileDescriptor(
            owning: Int32(
                try withPath("/dev/kvm") { (path) throws(Errno) in
                    try syscall(__NR_openat, CL_AT_FDCWD, path, Int(O_RDWR | O_CLOEXEC))
                }))
        let event = try EventFD()
        let code = guest.code
        let number = kvm.rawValue
        let signalled = guest == .signal ? event.descriptor.rawValue : -1
        guard
            let peer = unsafe code.withUnsafeBufferPointer({
                unsafe exit_loop_make(number, $0.baseAddress, $0.count, signalled, Guest.address)
            })
        else { throw Failure.peer(Errno(rawValue: errno)) }
        let served = try Served(try Hypervisor(kvm), guest)
        var samples: [(ours: Double, peer: Double)] = []
        let end = ContinuousClock.now + .seconds(secondsAGuest)
        for round in 0..<rounds where round < 5 || ContinuousClock.now < end {
            var sums: (UInt64?, UInt64) = (0, 0)
            // By turns, and each first every other time.
            var ours = 0.0
            if round % 2 == 0 { ours = try rate(guest) { sums.0 = try served.serve(exits: guest.exitsPerRound) } }
            let theirs = rate(guest) { sums.1 = unsafe exit_loop_serve(peer, UInt64(guest.exitsPerRound)) }
            if round % 2 == 1 { ours = try rate(guest) { sums.0 = try served.serve(exits: guest.exitsPerRound) } }
            guard let sum = sums.0, sums.1 != 0 || guest == .signal else { throw Failure.exit(guest.name) }
            guard sum == sums.1 else { throw Failure.sums(sum, sums.1) }
            samples.append((ours, theirs))
        }
        if guest == .signal {
            guard event.drain(), served.isSignalled() else { throw Failure.noSignal }
        }
        return (median(samples.map(\.ours)), median(samples.map(\.peer)))
    }

    /// What the guest does a second while `body` serves it.
    static func rate(_ guest: Guest, _ body: () throws -> Void) rethrows -> Double {
        let start = processorTime()
        try body()
        return Double(guest.exitsPerRound * guest.eventsPerExit) / (processorTime() - start)
    }

    /// Seconds this thread has had, in the guest and in the kernel too.
    static func processorTime() -> Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    static func median(_ samples: [Double]) -> Double { samples.sorted()[samples.count / 2] }
}
