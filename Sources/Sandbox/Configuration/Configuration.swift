// SPDX-License-Identifier: Apache-2.0
public import Engine
import Linux
import TOMLKit

/// The configuration file, fc-runc.toml(5). nil: the file does not say.
public struct Configuration: Equatable, Sendable {
    /// Where the file is looked for.
    public static let standardPath = "/etc/fc-runc/config.toml"
    /// The environment variable that names another.
    public static let variable = "FC_RUNC_CONFIG"
    /// The largest file that is read: 64 KiB.
    public static let byteLimit = 64 << 10

    /// The engine; nil chooses.
    public var engine: EngineKind?
    /// The directory of the runtime's parts.
    public var libexec: String?
    /// The guest's kernel.
    public var kernel: String?
    /// The guest's initial file system.
    public var initramfs: String?
    /// The QEMU program.
    public var qemu: String?
    /// Memory of a machine whose document sets no limit.
    public var memoryByteCount: UInt64?
    /// Virtual processors of a machine.
    public var vcpuCount: Int?
    /// Of a pod's machine, where nothing is said of the pod.
    public var podMemoryByteCount: UInt64?
    /// Virtual processors of a pod's machine.
    public var podVCPUCount: Int?
    /// Seconds.
    public var bootTimeout: Int?

    /// Every field absent or at its default.
    public init() {}

    /// Reads the file that the option names, or else the environment, or else the standard one, which need not
    /// be there.
    public static func load(option: String?, environment: String?) throws(ConfigurationError) -> Configuration {
        let named = option ?? environment.flatMap { $0.isEmpty ? nil : $0 }
        let path = named ?? standardPath
        let bytes: [UInt8]
        do {
            bytes = try FileDescriptor.open(path, .nonBlocking).readAll(limit: byteLimit)
        } catch {
            if named == nil, error == .noSuchFile { return Configuration() }
            throw .unreadable(path: path, error)
        }
        do {
            return try Configuration(toml: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw .malformed(path: path, error)
        }
    }

    /// Nothing set.
    public init(toml: String) throws(ConfigurationProblem) {
        // The parser takes a C string.
        if let nul = toml.utf8.firstIndex(of: 0) {
            throw .syntax("a NUL byte", line: toml[..<nul].utf8.count { $0 == 10 } + 1, column: 1)
        }
        let table: TOMLTable
        do {
            table = try TOMLTable(string: toml)
        } catch let error as TOMLParseError {
            throw .syntax(error.description, line: error.source.begin.line, column: error.source.begin.column)
        } catch {
            throw .syntax("\(error)", line: 0, column: 0)
        }
        for key in table.keys.sorted() {
            guard let value = table[key] else { continue }
            switch key {
            case "engine":
                let name = try Self.string(key, value)
                guard let kind = EngineKind(rawValue: name) else {
                    throw .badValue(key: key, value: name, expected: "auto, kvm or qemu")
                }
                engine = kind
            case "libexec": libexec = try Self.path(key, value)
            case "kernel": kernel = try Self.path(key, value)
            case "initramfs": initramfs = try Self.path(key, value)
            case "qemu": qemu = try Self.path(key, value)
            case "memory": memoryByteCount = try Self.memory(key, value)
            case "vcpus": vcpuCount = try Self.integer(key, value, 1...255)
            case "pod_memory": podMemoryByteCount = try Self.memory(key, value)
            case "pod_vcpus": podVCPUCount = try Self.integer(key, value, 1...255)
            case "boot_timeout": bootTimeout = try Self.integer(key, value, 1...3600)
            default: throw .unknownKey(key)
            }
        }
    }

    private static func string(
        _ key: String, _ value: any TOMLValueConvertible
    ) throws(ConfigurationProblem) -> String {
        guard let text = value.string else { throw .wrongType(key: key, expected: "a string") }
        return text
    }

    private static func path(_ key: String, _ value: any TOMLValueConvertible) throws(ConfigurationProblem) -> String {
        let path = try string(key, value)
        guard path.begins(with: "/"), !path.utf8.contains(0) else {
            throw .badValue(key: key, value: path, expected: "an absolute path")
        }
        return path
    }

    private static func integer(
        _ key: String, _ value: any TOMLValueConvertible, _ range: ClosedRange<Int>
    ) throws(ConfigurationProblem) -> Int {
        guard let number = value.int else { throw .wrongType(key: key, expected: "an integer") }
        guard range.contains(number) else {
            throw .badValue(key: key, value: "\(number)", expected: "from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// `"512M"`: bytes, or with K, M, G the powers of 1024; a whole number of MiB, from 32 MiB to 1 TiB.
    private static func memory(
        _ key: String, _ value: any TOMLValueConvertible
    ) throws(ConfigurationProblem) -> UInt64 {
        let text = try string(key, value)
        let shift: UInt64 =
            switch text.last {
            case "K", "k": 10
            case "M", "m": 20
            case "G", "g": 30
            default: 0
            }
        guard let number = UInt64(shift == 0 ? text : String(text.dropLast())), number <= UInt64(1) << (40 - shift),
            case let byteCount = number << shift, byteCount >= 32 << 20, byteCount % (1 << 20) == 0
        else { throw .badValue(key: key, value: text, expected: "a size as \"512M\", from 32M to 1024G") }
        return byteCount
    }
}
