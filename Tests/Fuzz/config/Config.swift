// SPDX-License-Identifier: Apache-2.0
import OCISpec

/// A config.json nobody vouches for: whatever its bytes are, it is read, checked and written back without a trap, and
/// what was written reads as the same document.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzConfig(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    // libFuzzer gives `byteCount` readable bytes at `data` until this returns.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: byteCount))
    guard let spec = try? Spec.parse(bytes) else { return 0 }
    let again = try? Spec.parse(spec.encoded())
    precondition(again == spec, "the document changed on the way")
    _ = spec.unsupportedFields()
    _ = try? spec.validate()
    return 0
}
