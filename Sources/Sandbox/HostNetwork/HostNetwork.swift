// SPDX-License-Identifier: Apache-2.0
import Linux

/// A network namespace of the host's that is to be a sandbox's network: it is read, and its interfaces are joined to taps, of
/// which the machine's network devices have the other ends. The caller of these stays in its own namespace.
public enum HostNetwork {
    /// The names of our own taps begin with it.
    static let tapPrefix = "fc-tap"
}
