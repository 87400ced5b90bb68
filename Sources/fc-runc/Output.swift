// SPDX-License-Identifier: Apache-2.0
import Linux

/// Writing to standard output and standard error, unbuffered. An error has nowhere to go.
enum Output {
    static func write(_ text: String, to descriptor: BorrowedDescriptor = .standardOutput) {
        write(Array(text.utf8), to: descriptor)
    }

    static func write(_ bytes: [UInt8], to descriptor: BorrowedDescriptor = .standardOutput) {
        try? descriptor.writeAll(bytes)
    }
}
