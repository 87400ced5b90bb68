// SPDX-License-Identifier: Apache-2.0
/// What of a guest's console is kept on disk, however much the guest writes: the first bytes, which tell how it
/// booted, and the last, which tell how it ended. Between them stands how much was left out.
///
/// It decides what to write where; somebody else writes.
struct ConsoleLog {
    /// Bytes for a place in the file.
    struct Write: Equatable {
        var offset: UInt64
        var bytes: [UInt8]
    }

    struct Limits {
        /// Bytes kept of the beginning.
        var head = 192 * 1024
        /// Bytes kept of the end.
        var tail = 64 * 1024
        /// The end is written anew no more often than this.
        var pause = Duration.seconds(1)
    }

    private let limits: Limits
    private let start: UInt64
    private var headCount = 0
    /// The last bytes beyond the head, at most `limits.tail`, as a ring once it is full.
    private var tail: [UInt8] = []
    private var tailStart = 0
    private var beyondHead: UInt64 = 0
    private var dirtySince: Duration?
    private var lastWrite: Duration?

    /// - Parameter start: where in the file the console begins.
    init(start: UInt64, limits: Limits = Limits()) {
        self.start = start
        self.limits = limits
    }

    /// The most the file grows by.
    var sizeLimit: Int { limits.head + Self.marker(0).count + limits.tail }

    /// Takes what the guest wrote.
    ///
    /// - Returns: what belongs in the file at once.
    mutating func take(_ bytes: [UInt8], now: Duration) -> Write? {
        let headPart = bytes.prefix(limits.head - headCount)
        let write = headPart.isEmpty ? nil : Write(offset: start + UInt64(headCount), bytes: Array(headPart))
        headCount += headPart.count
        let rest = bytes[headPart.count...]
        if !rest.isEmpty {
            keep(rest)
            if dirtySince == nil { dirtySince = now }
        }
        return write
    }

    /// When ``flush(now:)`` has something again, if ever.
    var deadline: Duration? {
        guard let dirtySince else { return nil }
        return lastWrite.map { max(dirtySince, $0 + limits.pause) } ?? dirtySince
    }

    /// The end of the console as it belongs in the file now, or nil where that stands there already.
    mutating func flush(now: Duration) -> Write? {
        guard dirtySince != nil else { return nil }
        dirtySince = nil
        lastWrite = now
        let last = tail[tailStart...] + tail[..<tailStart]
        let leftOut = beyondHead - UInt64(tail.count)
        return Write(offset: start + UInt64(limits.head), bytes: Self.marker(leftOut) + last)
    }

    /// Always of one length, so that a later one covers an earlier one.
    static func marker(_ leftOut: UInt64) -> [UInt8] {
        let digits = String(leftOut)
        let padding = String(repeating: " ", count: 20 - digits.count)
        return Array("\n[fc-vmm: \(padding)\(digits) bytes of console output left out here]\n".utf8)
    }

    private mutating func keep(_ bytes: ArraySlice<UInt8>) {
        beyondHead += UInt64(bytes.count)
        for byte in bytes.suffix(limits.tail) {
            if tail.count < limits.tail {
                tail.append(byte)
            } else {
                tail[tailStart] = byte
                tailStart = tailStart + 1 == limits.tail ? 0 : tailStart + 1
            }
        }
    }
}
