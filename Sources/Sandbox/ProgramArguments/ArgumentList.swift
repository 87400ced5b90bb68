// SPDX-License-Identifier: Apache-2.0
/// The arguments of a program, or the `key=value` fields of one flag. A type lists its flags once, in ``list(_:)``, which
/// both writes a command line and reads one: the program that starts another and the one that is started cannot disagree.
///
/// What is written is what is read again: a value that the reader would refuse, or take for another, is refused by the
/// writer too.
public protocol ArgumentList: Equatable, Sendable {
    /// Arguments with what is optional left out. What is required is invalid until it is set.
    init()

    /// Names each flag and its property to `flags`.
    mutating func list(_ flags: inout ArgumentCoder) throws(ArgumentError)
}

extension ArgumentList {
    /// Reads a command line.
    ///
    /// - Parameters:
    ///   - words: what follows the program's name, and its mode, if it has modes.
    ///   - requiresOpen: refuse a descriptor that is not open in this process.
    public init(parsing words: some Sequence<String>, requiresOpen: Bool = false) throws(ArgumentError) {
        var coder = try ArgumentCoder(reading: words, as: Self.self)
        self.init()
        try list(&coder)
        try coder.finish()
        if requiresOpen { try coder.checkDescriptors() }
    }

    /// The words that ``init(parsing:requiresOpen:)`` reads as this value.
    public func arguments() throws(ArgumentError) -> [String] { try written(as: .flags).words }

    /// Reads the value of one flag, `key=value,word,…`.
    ///
    /// - Parameter flag: the flag, for errors.
    public init(fields text: String, of flag: String) throws(ArgumentError) {
        var coder = try ArgumentCoder(fields: text, of: flag)
        self.init()
        try list(&coder)
        try coder.finish()
    }

    /// The coder that has written this value.
    func written(as form: ArgumentCoder.Form, passesDescriptors: Bool = false) throws(ArgumentError) -> ArgumentCoder {
        var (copy, coder) = (self, ArgumentCoder(writing: form, passesDescriptors: passesDescriptors))
        try copy.list(&coder)
        return coder
    }
}
