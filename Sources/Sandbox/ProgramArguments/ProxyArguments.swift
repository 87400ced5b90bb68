// SPDX-License-Identifier: Apache-2.0
/// What fc-proxy needs to stand for a process of a container. It comes as an order, with the descriptors, which become
/// the program's own.
public struct ProxyArguments: ArgumentList {
    /// The container's id.
    public var container = ""
    /// The process's name in its container; nil for the first.
    public var exec: String?
    /// A control connection to the agent on which the process was made, past its handshake.
    public var control: Int32 = -1
    /// Connections of the standard streams; nil is none.
    public var input: Int32?
    /// As ``input``.
    public var output: Int32?
    /// As ``input``; nil with a terminal.
    public var error: Int32?
    /// Held, never used: the sandbox lives for as long as a process holds it.
    public var lifeline: Int32?
    /// The directory of the memory cgroup that this process is in; nil: it does not watch for a shortage.
    public var memoryCgroup: Int32?
    /// How long the caller may take nothing of what the process wrote, once that has ended; nil: the usual time.
    public var stallMilliseconds: Int32?
    /// Standard input is a terminal that stands before one in the guest.
    public var hasTerminal = false
    /// The guest's terminal adds no carriage returns: the caller's does, if it is set to.
    public var keepsNewlines = false

    /// What is required is still to be set.
    public init() {}

    /// Lists the flags.
    public mutating func list(_ flags: inout ArgumentCoder) throws(ArgumentError) {
        try flags.value("--container", &container, .text())
        try flags.value("--exec", &exec, .text())
        try flags.descriptor("--control-fd", &control)
        try flags.descriptor("--stdin-fd", &input)
        try flags.descriptor("--stdout-fd", &output)
        try flags.descriptor("--stderr-fd", &error)
        try flags.value("--stall-ms", &stallMilliseconds, .number(0...Int32.max))
        try flags.descriptor("--lifeline-fd", &lifeline)
        try flags.descriptor("--memory-cgroup-fd", &memoryCgroup)
        try flags.isSet("--terminal", &hasTerminal)
        try flags.isSet("--newlines", &keepsNewlines)
    }

    /// Reads the words of an order.
    ///
    /// - Parameter descriptors: those that came with it, which the words name by their place.
    public init(parsing words: [String], descriptors: [Int32]) throws(ArgumentError) {
        var coder = try ArgumentCoder(reading: words, as: Self.self, passed: descriptors)
        self.init()
        try list(&coder)
        try coder.finish()
    }

    /// The order that ``init(parsing:descriptors:)`` reads, and the descriptors to send with it.
    public func order() throws(ArgumentError) -> (order: ProxyOrder, descriptors: [Int32]) {
        let coder = try written(as: .flags, passesDescriptors: true)
        return (ProxyOrder(.serve, coder.words), coder.descriptors)
    }
}
