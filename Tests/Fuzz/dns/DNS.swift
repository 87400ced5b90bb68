// SPDX-License-Identifier: Apache-2.0
import DNS

/// A message of a container's, or one that answers it. No trap; what is cut fits, is marked as cut, and is cut no further; a
/// failure is short, and is no query.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDNS(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    // libFuzzer gives `byteCount` readable bytes at `data` until this returns.
    let message = unsafe Array(UnsafeBufferPointer(start: data, count: byteCount))
    let limit = DNSMessage.answerLimit(of: message)
    precondition(limit >= DNSMessage.usualLimit && limit <= DNSMessage.extendedLimit, "a limit out of bounds")
    for limit in [limit, DNSMessage.usualLimit] {
        let fitted = DNSMessage.fitted(message, to: limit)
        precondition(fitted.count <= limit, "it does not fit")
        precondition(fitted == message || fitted[2] & 0x02 != 0, "it is not marked as cut")
        precondition(DNSMessage.fitted(fitted, to: limit) == fitted, "it is cut twice")
    }
    guard DNSMessage.isQuery(message) else { return 0 }
    let failure = DNSMessage.failure(of: message)
    precondition(failure.count <= DNSMessage.usualLimit && !DNSMessage.isQuery(failure), "no failure")
    return 0
}
