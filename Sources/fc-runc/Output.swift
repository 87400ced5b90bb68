import Linux

/// Writing to standard output and standard error, unbuffered. Nobody is there to be told of an error.
enum Output {
    static func write(_ text: String, to descriptor: Int32 = 1) {
        write(Array(text.utf8), to: descriptor)
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32 = 1) {
        // Borrowed: released before it would be closed.
        let file = FileDescriptor(owning: descriptor)
        try? file.writeAll(bytes)
        _ = file.release()
    }
}
