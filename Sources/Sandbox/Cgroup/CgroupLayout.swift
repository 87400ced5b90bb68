// SPDX-License-Identifier: Apache-2.0
import Linux

/// How cgroups are mounted on the host, cgroups(7): version 1 with a hierarchy for each controller or a few,
/// version 2 with one for all, or both at once (hybrid), where the controllers are with version 1.
public struct CgroupLayout: Hashable, Sendable {
    /// A mounted hierarchy.
    public struct Hierarchy: Hashable, Sendable {
        /// `memory`, or `cpu` and `cpuacct`; `name=systemd` for one without controllers; empty on version 2.
        public var controllers: [String]
        /// Absolute.
        public var mountPoint: String
        /// The cgroup that shows at the mount point: `/`, or more where a container's own was mounted.
        public var mountRoot: String
        /// The caller's own cgroup in it.
        public var ownPath: String
    }

    /// A version of cgroups; `none`: no hierarchy is mounted.
    public enum Version: Hashable, Sendable {
        case one
        case two
        case none
    }

    /// The hierarchies of version 1, in the order in which they are mounted.
    public var versionOne: [Hierarchy] = []
    /// The hierarchy of version 2; nil if it is not mounted.
    public var unified: Hierarchy?

    /// The version that limits and processes are of.
    public var version: Version {
        if versionOne.contains(where: { $0.controllers.contains { !$0.begins(with: "name=") } }) { return .one }
        return unified == nil ? .none : .two
    }

    /// The layout as the calling process sees it.
    public static func current() throws(CgroupError) -> CgroupLayout {
        CgroupLayout(
            mountinfo: try ControlFile.read("/proc/self/mountinfo"),
            membership: try ControlFile.read("/proc/self/cgroup"))
    }

    /// The names of the controllers that limits can be set with, sorted.
    public func controllers() throws(CgroupError) -> [String] {
        switch version {
        case .one: return versionOne.flatMap(\.controllers).filter { !$0.begins(with: "name=") }.sorted()
        case .two:
            let file = "\(unified?.mountPoint ?? "")/cgroup.controllers"
            return try ControlFile.words(file).sorted()
        case .none: return []
        }
    }

    /// Reads /proc/self/mountinfo and /proc/self/cgroup, given as text.
    public init(mountinfo: String, membership: String) {
        let own = Self.ownPaths(membership)
        for line in mountinfo.split(at: "\n") {
            let fields = line.split(at: " ")
            // Six fields, any number of optional ones, a dash, then type, source and options: proc(5).
            guard let dash = fields.dropFirst(6).firstIndex(where: { $0.isSame(as: "-") }), fields.count >= dash + 4
            else { continue }
            let root = Self.unescaped(fields[3])
            let mountPoint = Self.unescaped(fields[4])
            switch fields[dash + 1] {
            case "cgroup2":
                if unified == nil {
                    unified = Hierarchy(
                        controllers: [], mountPoint: mountPoint, mountRoot: root, ownPath: own[""] ?? "/")
                }
            case "cgroup":
                let controllers = fields[dash + 3].split(at: ",").map(String.init).filter(own.keys.contains)
                guard let first = controllers.first,
                    !versionOne.contains(where: { $0.controllers.contains(first) })
                else { continue }
                versionOne.append(
                    Hierarchy(
                        controllers: controllers, mountPoint: mountPoint, mountRoot: root, ownPath: own[first] ?? "/"))
            default: continue
            }
        }
    }

    /// `4:memory:/path` lines; the controllers of one line share a path, version 2 has an empty name.
    static func ownPaths(_ membership: String) -> [String: String] {
        var paths: [String: String] = [:]
        for line in membership.split(at: "\n") {
            let fields = line.split(at: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            for name in fields[1].split(at: ",", omittingEmptySubsequences: false) {
                paths[String(name)] = String(fields[2])
            }
        }
        return paths
    }

    /// A mountinfo field, in which space, tab, newline and backslash stand as three octal digits.
    static func unescaped(_ field: Substring) -> String {
        let bytes = Array(field.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\\"), index + 3 < bytes.count,
                let byte = UInt8(String(decoding: bytes[(index + 1)...(index + 3)], as: UTF8.self), radix: 8)
            {
                result.append(byte)
                index += 4
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// The OCI document's cgroupsPath, checked.
struct CgroupPath {
    let names: [String]
    let isAbsolute: Bool

    init(_ path: String) throws(CgroupError) {
        names = path.pathNames
        isAbsolute = path.isAbsolutePath
        let isClean = names.allSatisfy { name in
            name != ".." && name != "." && name.utf8.count <= 255 && name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
        }
        guard isClean, !names.isEmpty, path.utf8.count < 4096 else { throw .invalidPath(path) }
    }

    /// The names below `hierarchy`'s mount point. An absolute path starts there, and a relative one at the
    /// caller's own cgroup, as runc has it; on version 2 at that cgroup's parent, since a cgroup with processes
    /// of its own passes no controllers on.
    func names(in hierarchy: CgroupLayout.Hierarchy) -> [String] {
        if isAbsolute { return names }
        var own = hierarchy.ownPath.pathNames
        let root = hierarchy.mountRoot.pathNames
        // A path outside the mounted cgroup has no name here: the mounted one takes its place.
        own = own.starts(with: root) ? Array(own.dropFirst(root.count)) : []
        if own.contains("..") { own = [] }
        if hierarchy.controllers.isEmpty { own = own.dropLast() }
        return own + names
    }
}
