// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

public typealias ContainerID = SandboxPlan.ContainerID

extension ContainerID {
    /// - Throws: `emptyID`, `invalidID` or `idTooLong`, in runc's words.
    public init(_ text: String) throws(RuntimeStateError) {
        guard !text.isEmpty else { throw .emptyID }
        guard Self.hasNameForm(text) else { throw .invalidID }
        guard let id = Self(rawValue: text) else { throw .idTooLong(byteCount: text.utf8.count) }
        self = id
    }
}
