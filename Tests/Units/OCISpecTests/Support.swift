// SPDX-License-Identifier: Apache-2.0
@testable import OCISpec

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// What reading and checking `text` ends in: the error's text, or nil.
func failure(_ text: String) -> String? {
    do throws(SpecError) {
        try Spec.parse(bytes(text)).validate()
        return nil
    } catch { return error.description }
}
