// SPDX-License-Identifier: Apache-2.0
/// What a client chose for the containers of a shim, by the options of its requests.
struct VerbSettings: Hashable {
    /// Where states are kept; nil: where the command line keeps them.
    var root: String?
    /// The configuration file; nil: the standard one.
    var configuration: String?
    var isDebug = false
}

/// Something to be done by the runtime, which may take time.
enum Verb: Hashable {
    /// Answered with a process.
    case create(TaskDescription)
    case start(id: String)
    /// `document`: a process object of the runtime-spec. Answered with a process.
    case exec(id: String, exec: String, document: [UInt8], StandardIO)
    /// `exec` is empty for the container's first process.
    case kill(id: String, exec: String, signal: Int32, all: Bool)
    case pause(id: String)
    case resume(id: String)
    case resize(id: String, exec: String, rows: UInt16, columns: UInt16)
    /// `resources`: a resources object of the runtime-spec.
    case update(id: String, resources: [UInt8])
    /// Answered with a message of figures, as a google.protobuf.Any.
    case statistics(id: String)
    /// Ends the container, whatever state it is in, and takes away all of it on the host.
    case remove(id: String, bundle: String)
    /// Answered with a text: why the sandbox of a container ended.
    case explain(id: String)

    var name: String {
        switch self {
        case .create: "create"
        case .start: "start"
        case .exec: "exec"
        case .kill: "kill"
        case .pause: "pause"
        case .resume: "resume"
        case .resize: "resize"
        case .update: "update"
        case .statistics: "stats"
        case .remove: "delete"
        case .explain: "explain"
        }
    }

    /// How long it may take. Each is bounded by itself too, and shorter: what is longer than this hangs.
    var limit: Duration {
        switch self {
        // A guest may be given an hour to boot, by the configuration.
        case .create: .seconds(3600 + 120)
        case .start, .exec, .remove: .seconds(90)
        case .kill, .pause, .resume, .resize, .update, .statistics, .explain: .seconds(60)
        }
    }
}

/// Who carries verbs out.
protocol VerbRunner: AnyObject {
    /// Calls `done` once, later.
    func run(_ verb: Verb, _ settings: VerbSettings, done: @escaping (VerbOutcome) -> Void)
    /// Cuts the making of a container off, if it is under way: its verb comes to an end soon, and badly, unless it was
    /// about to be done.
    func giveUpCreate(of id: String)
}
