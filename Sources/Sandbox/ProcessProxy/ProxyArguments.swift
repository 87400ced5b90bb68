import AgentProtocol

/// fc-proxy's command line. Every descriptor is inherited and becomes the proxy's own.
struct ProxyArguments {
    var name: ProcessName
    /// A control connection on which the process was made, past its handshake; requests up to
    /// `ProcessProxy.firstRequest` were made by others.
    var control: Int32
    /// Connections of the standard streams; nil is none.
    var input: Int32?
    var output: Int32?
    var error: Int32?
    /// Standard input is a terminal that stands before one in the guest.
    var hasTerminal = false
    /// Held, never used: the sandbox lives for as long as somebody holds it.
    var lifeline: Int32?
    /// How long output that nobody takes is waited for once the process has ended; nil: for as long as it lasts, where
    /// the process was not killed.
    var stallMilliseconds: Int32?

    enum Problem: Error, CustomStringConvertible {
        case unknown(String)
        case value(String)
        case missing(String)

        var description: String {
            switch self {
            case .unknown(let word): "unknown argument \"\(word)\""
            case .value(let word): "\(word): not a valid value"
            case .missing(let word): "\(word) is missing"
            }
        }
    }

    /// - Parameter words: without the program's name.
    init(_ words: [String]) throws(Problem) {
        var container: String?
        var exec: String?
        var control: Int32?
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--terminal" {
                hasTerminal = true
                continue
            }
            guard let value = rest.popFirst() else { throw .value(word) }
            switch word {
            case "--container": container = value
            case "--exec": exec = value
            case "--control-fd": control = try Self.descriptor(value, word)
            case "--stdin-fd": input = try Self.descriptor(value, word)
            case "--stdout-fd": output = try Self.descriptor(value, word)
            case "--stderr-fd": error = try Self.descriptor(value, word)
            case "--lifeline-fd": lifeline = try Self.descriptor(value, word)
            case "--stall-ms":
                guard let number = Int32(value), number >= 0 else { throw .value(word) }
                stallMilliseconds = number
            default: throw .unknown(word)
            }
        }
        guard let container else { throw .missing("--container") }
        guard let control else { throw .missing("--control-fd") }
        name = ProcessName(container: container, exec: exec)
        self.control = control
    }

    private static func descriptor(_ value: String, _ word: String) throws(Problem) -> Int32 {
        guard let number = Int32(value), number > 2 else { throw .value(word) }
        return number
    }
}
