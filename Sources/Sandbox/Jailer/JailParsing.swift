// SPDX-License-Identifier: Apache-2.0
import Linux
public import SandboxPlan

extension JailPlan {
    /// Reads what ``arguments`` writes.
    ///
    /// - Throws: an error that names the first word that is wrong.
    public init(parsing words: [String]) throws(JailError) {
        var parser = JailParser(words: words)
        try parser.parse()
        guard let id = parser.id else { throw .missingWord("--id") }
        guard let lifeline = parser.lifeline else { throw .missingWord("--lifeline-fd") }
        guard let status = parser.status else { throw .missingWord("--status-fd") }
        guard !parser.processes.isEmpty else { throw .missingWord("--process") }
        for process in parser.processes where process.executable.isEmpty { throw .missingWord("--executable") }
        self.init(id: id, lifeline: lifeline, status: status)
        switch (parser.logPipe, parser.logFile) {
        case (let pipe?, let file?): log = JailLog(pipe: pipe, file: file)
        case (nil, nil): log = nil
        case (nil, _): throw .missingWord("--log-pipe-fd")
        case (_, nil): throw .missingWord("--log-file-fd")
        }
        cgroups = parser.cgroups
        networkNamespace = parser.networkNamespace
        processes = parser.processes
    }
}

/// Reads the words in order; what follows `--process` belongs to that process.
struct JailParser {
    /// A sandbox has a few processes, and each has fewer mounts than this.
    static let processLimit = 16
    static let mountLimit = 512
    /// The jailer keeps its own descriptors above this number while it duplicates the inherited ones.
    static let highestInheritedDescriptor: Int32 = 255

    let words: [String]
    var next = 0
    var id: String?
    var lifeline: Int32?
    var status: Int32?
    var logPipe: Int32?
    var logFile: Int32?
    var cgroups: [Int32] = []
    var networkNamespace: Int32?
    var processes: [JailedProcess] = []

    init(words: [String]) {
        self.words = words
    }

    mutating func parse() throws(JailError) {
        while next < words.count {
            let word = words[next]
            next += 1
            switch word {
            case "--id": try once(word, &id, name(word))
            case "--lifeline-fd": try once(word, &lifeline, descriptor(word))
            case "--status-fd": try once(word, &status, descriptor(word))
            case "--log-pipe-fd": try once(word, &logPipe, descriptor(word))
            case "--log-file-fd": try once(word, &logFile, descriptor(word))
            case "--cgroup-fd": cgroups.append(try descriptor(word))
            case "--netns-fd": try once(word, &networkNamespace, descriptor(word))
            case "--process":
                guard processes.count < Self.processLimit else { throw .tooMany(word, limit: Self.processLimit) }
                processes.append(JailedProcess(name: try name(word), executable: "", arguments: []))
            default:
                guard var process = processes.popLast() else {
                    throw word.begins(with: "--") ? .wordBeforeProcess(word) : .unknownWord(word)
                }
                try parse(word, into: &process)
                processes.append(process)
            }
        }
    }

    mutating func parse(_ word: String, into process: inout JailedProcess) throws(JailError) {
        switch word {
        case "--executable":
            guard process.executable.isEmpty else { throw .repeatedWord(word) }
            process.executable = try path(word)
        case "--argument": process.arguments.append(try value(word))
        case "--environment": process.environment.append(try value(word))
        case "--descriptor":
            let source = try descriptor(word)
            let target: Int32 = try number(word, in: 0...Self.highestInheritedDescriptor)
            guard !process.descriptors.contains(where: { $0.target == target }) else {
                throw .badValue("\(target)", of: word)
            }
            process.descriptors.append(InheritedDescriptor(source: source, target: target))
        case "--capability": process.capabilities.append(try number(word, in: 0...63))
        case "--limit":
            let resource: UInt32 = try number(word, in: 0...31)
            let soft: UInt64 = try number(word, in: 0...UInt64.max)
            process.resourceLimits.append(
                ResourceLimit(resource: resource, soft: soft, hard: try number(word, in: soft...UInt64.max)))
        case "--uid": try once(word, &process.uid, number(word, in: 0...(UInt32.max - 1)))
        case "--gid": try once(word, &process.gid, number(word, in: 0...(UInt32.max - 1)))
        case "--device":
            guard let last = process.mounts.indices.last, case .devices(let names) = process.mounts[last].source else {
                throw .wordBeforeProcess(word)
            }
            process.mounts[last].source = .devices(names + [try name(word)])
        default:
            guard process.mounts.count < Self.mountLimit else { throw .tooMany("--mount", limit: Self.mountLimit) }
            process.mounts.append(try mount(word))
        }
    }

    mutating func mount(_ word: String) throws(JailError) -> JailMount {
        switch word {
        case "--mount-host":
            return try mount(.host(path: try path(word)), word)
        case "--mount-detached":
            let number = try descriptor(word)
            var mount = try mount(.detached(descriptor: number, isFile: false), word)
            let kind = try value(word)
            guard kind == "file" || kind == "directory" else { throw .badValue(kind, of: word) }
            mount.source = .detached(descriptor: number, isFile: kind == "file")
            return mount
        case "--mount-processes": return try mount(.processes, word)
        case "--mount-temporary": return try mount(.temporary, word)
        case "--mount-devices": return try mount(.devices([]), word)
        default: throw .unknownWord(word)
        }
    }

    mutating func mount(_ source: JailMount.Source, _ word: String) throws(JailError) -> JailMount {
        let destination = try path(word)
        guard destination.utf8.contains(where: { $0 != UInt8(ascii: "/") }) else {
            throw .badValue(destination, of: word)
        }
        let access = try value(word)
        guard access == "ro" || access == "rw" else { throw .badValue(access, of: word) }
        return JailMount(source: source, destination: destination, isReadOnly: access == "ro")
    }

    func once<Value>(_ word: String, _ place: inout Value?, _ value: Value) throws(JailError) {
        guard place == nil else { throw .repeatedWord(word) }
        place = value
    }

    mutating func value(_ word: String) throws(JailError) -> String {
        guard next < words.count else { throw .missingValue(of: word) }
        next += 1
        return words[next - 1]
    }

    /// A number in plain decimal, as `description` writes it.
    mutating func number<Number: FixedWidthInteger>(
        _ word: String, in range: ClosedRange<Number>
    ) throws(JailError) -> Number {
        let text = try value(word)
        guard let number = Number(text), range.contains(number), text == "\(number)" else {
            throw .badValue(text, of: word)
        }
        return number
    }

    mutating func descriptor(_ word: String) throws(JailError) -> Int32 {
        try number(word, in: 0...(1 << 20))
    }

    /// A name for messages or in a directory, as ``ContainerID``.
    mutating func name(_ word: String) throws(JailError) -> String {
        let text = try value(word)
        guard let name = ContainerID(rawValue: text) else { throw .badValue(text, of: word) }
        return name.rawValue
    }

    /// An absolute path without `..`.
    mutating func path(_ word: String) throws(JailError) -> String {
        let text = try value(word)
        guard text.utf8.first == UInt8(ascii: "/"), text.utf8.count < 4096,
            !text.utf8.split(separator: UInt8(ascii: "/")).contains(where: { $0.elementsEqual("..".utf8) })
        else { throw .badValue(text, of: word) }
        return text
    }
}
