// SPDX-License-Identifier: Apache-2.0
import Glibc

enum SignalAction {
    /// A write to a closed pipe is to fail, not to end the tests.
    static func ignorePipe() { _ = signal(SIGPIPE, SIG_IGN) }
}
