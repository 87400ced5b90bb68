// SPDX-License-Identifier: Apache-2.0
/// How long a guest may answer from its own memory what it has been told of the shared tree.
public enum CachePolicy: String, Sendable {
    /// Names and attributes for a second; a file's pages for as long as it is the same at each open.
    case auto
    /// Everything for a day: the guest alone changes the tree.
    case always
    /// Nothing: every access is asked for.
    case none
}
