// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import Synchronization

/// What any thread stops a vCPU with.
public final class VCPUInterrupter: Sendable {
    private let area: RunArea
    /// The thread that runs the vCPU, by its kernel's number; 0 before it has begun.
    private let thread = Atomic<Int32>(0)

    init(_ area: RunArea) {
        self.area = area
    }

    /// Makes the vCPU's run, the one going on or the next one, end with `.interrupted`. An answer given to the
    /// exit before reaches the guest all the same: its state is whole then, for a pause or a snapshot.
    ///
    /// kvm_run.immediate_exit closes the gap before KVM_RUN, a signal takes the thread out of it. No call is lost,
    /// but several may be answered by one `.interrupted`; what they were for is to be written down before.
    public func stopSoon() {
        area.setImmediateExit()
        let number = thread.load(ordering: .acquiring)
        guard number != 0 else { return }
        // A thread that has ended needs no signal.
        _ = cl_syscall(Int(__NR_tgkill), Int(getpid()), Int(number), Int(Self.signal), 0, 0, 0)
    }

    /// Called by the vCPU's thread before its first run.
    func bindToThisThread() {
        // Threads inherit a blocked signal from the thread that started them; KVM_RUN would not end for it.
        var set = sigset_t()
        // A set of this call's own, filled and read within it.
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, Self.signal)
        _ = unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
        thread.store(Int32(cl_syscall(Int(__NR_gettid), 0, 0, 0, 0, 0, 0)), ordering: .releasing)
    }

    func noteInterrupted() {
        area.clearImmediateExit()
    }

    /// The first of the signals the C library leaves to programs. This room gives it a handler that does
    /// nothing, when the first vCPU is made; the rest of the program must not use it.
    public static var signal: Int32 { __libc_current_sigrtmin() }

    private static let installed: Int32 = {
        var action = sigaction()
        // SA_SIGINFO is not set, so this is the handler of the two; it captures nothing.
        unsafe action.__sigaction_handler.sa_handler = { _ in }
        // KVM_RUN never restarts; another call the signal happens to meet should.
        action.sa_flags = SA_RESTART
        // sigaction(2) copies the structure.
        return unsafe sigaction(signal, &action, nil) == 0 ? 0 : errno
    }()

    static func installHandler() throws(KVMError) {
        if installed != 0 { throw .installSignal(Errno(rawValue: installed)) }
    }
}
