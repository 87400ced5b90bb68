// SPDX-License-Identifier: Apache-2.0
/// What all programs say of themselves.
public enum Version {
    public static let number = "0.1.0"
}
