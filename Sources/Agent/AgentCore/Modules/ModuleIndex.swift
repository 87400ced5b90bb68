// SPDX-License-Identifier: Apache-2.0
/// Which files to load for a kernel module, and in what order: depmod's modules.dep, modules.alias and modules.softdep, read
/// as modprobe(8) does. Names are compared with `-` as `_`.
struct ModuleIndex {
    /// modules.dep: `file: file …`, what is to be loaded first named last.
    var dependencies: [UInt8]
    /// modules.alias: `alias pattern module`.
    var aliases: [UInt8] = []
    /// modules.softdep: `softdep module pre: module … post: module …`, modules or aliases.
    var softDependencies: [UInt8] = []

    /// No request comes to as many; a list that did would be wrong.
    static let fileLimit = 256
    private static let depthLimit = 8

    /// The files for `name`, a module or an alias, which may stand for several modules; empty for one that is not known.
    func files(for name: [UInt8]) -> [String] {
        var order: [String] = []
        add(Self.normalized(name[...]), to: &order, depth: 0)
        return order
    }

    private func add(_ name: [UInt8], to order: inout [String], depth: Int) {
        guard depth < Self.depthLimit, !name.isEmpty else { return }
        if let line = dependencyLine(of: name) { return add(line, of: name, to: &order, depth) }
        for module in modules(named: name) where order.count < Self.fileLimit {
            if let line = dependencyLine(of: module) { add(line, of: module, to: &order, depth) }
        }
    }

    private func add(_ line: [ArraySlice<UInt8>], of module: [UInt8], to order: inout [String], _ depth: Int) {
        let soft = softNames(of: module)
        for name in soft.before { add(name, to: &order, depth: depth + 1) }
        for file in line.reversed() {
            let file = String(decoding: file, as: UTF8.self)
            if order.count < Self.fileLimit, !order.contains(file) { order.append(file) }
        }
        for name in soft.after { add(name, to: &order, depth: depth + 1) }
    }

    /// The module's file and those it needs.
    private func dependencyLine(of module: [UInt8]) -> [ArraySlice<UInt8>]? {
        for line in Self.lines(dependencies) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let file = line[..<colon]
            let start = file.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? file.startIndex
            guard file.count - (start - file.startIndex) == module.count + 3,
                Self.normalized(file[start..<(start + module.count)]) == module,
                file[(start + module.count)...].elementsEqual(".ko".utf8)
            else { continue }
            return [file] + Boot.words(line[(colon + 1)...])
        }
        return nil
    }

    /// The modules with an alias that `name` matches.
    private func modules(named name: [UInt8]) -> [[UInt8]] {
        var found: [[UInt8]] = []
        for line in Self.lines(aliases) where line.starts(with: "alias ".utf8) {
            let words = Boot.words(line)
            guard words.count == 3, Self.matches(Self.normalized(words[1]), name) else { continue }
            found.append(Self.normalized(words[2]))
        }
        return found
    }

    private func softNames(of module: [UInt8]) -> (before: [[UInt8]], after: [[UInt8]]) {
        var names: (before: [[UInt8]], after: [[UInt8]]) = ([], [])
        for line in Self.lines(softDependencies) where line.starts(with: "softdep ".utf8) {
            let words = Boot.words(line)
            guard words.count > 2, Self.normalized(words[1]) == module else { continue }
            var isAfter: Bool?
            for word in words[2...] {
                if word.elementsEqual("pre:".utf8) {
                    isAfter = false
                } else if word.elementsEqual("post:".utf8) {
                    isAfter = true
                } else if isAfter == false {
                    names.before.append(Self.normalized(word))
                } else if isAfter == true {
                    names.after.append(Self.normalized(word))
                }
            }
        }
        return names
    }

    private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] { bytes.split(separator: 10) }

    private static func normalized(_ name: ArraySlice<UInt8>) -> [UInt8] {
        name.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
    }

    /// Whether `name` is as `pattern` says, in which `*` stands for any bytes and `?` for one. The last `*` alone is tried
    /// again, so that the work is bounded by the product of both lengths.
    static func matches(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
        var (at, next) = (0, 0)
        var star: (pattern: Int, name: Int)?
        while next < name.count {
            if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
                star = (at, next)
                at += 1
            } else if at < pattern.count, pattern[at] == UInt8(ascii: "?") || pattern[at] == name[next] {
                at += 1
                next += 1
            } else if let (pattern, name) = star {
                star = (pattern, name + 1)
                at = pattern + 1
                next = name + 1
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
