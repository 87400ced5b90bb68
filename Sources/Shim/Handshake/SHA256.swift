// SPDX-License-Identifier: Apache-2.0
import CNettle

/// Names a socket after what it is for, in a length that always fits.
enum SHA256 {
    /// The digest as 64 hexadecimal digits.
    static func hex(_ text: String) -> String {
        var context = sha256_ctx()
        let message = Array(text.utf8)
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_SIZE))
        // The context is this function's own, and each pointer is used within its call only.
        unsafe nettle_sha256_init(&context)
        unsafe nettle_sha256_update(&context, message.count, message)
        unsafe nettle_sha256_digest(&context, digest.count, &digest)
        let digits = Array("0123456789abcdef")
        return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
