// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
public import Linux

/// A sandbox's cgroup on the host: a directory in each hierarchy of version 1, or the one of version 2.
/// It consists of paths alone, so that the runtime's state can hold it until the sandbox is deleted.
public struct HostCgroup: Hashable, Sendable {
    /// The directories, absolute, one in each hierarchy. Empty if no cgroups are mounted on the host.
    public var directories: [String]
    /// Those of them, and of the directories above them, that were made for it; parents first. Only these are
    /// ever removed.
    public var made: [String]

    /// As the runtime's state has kept it.
    public init(directories: [String], made: [String]) {
        self.directories = directories
        self.made = made
    }

    /// Makes the cgroup that `path` names (runtime-spec config-linux.md#cgroups-path) and writes its limits. After a
    /// failure nothing that was made is left.
    ///
    /// - Throws: an error whose ``CgroupError/isVanishedDirectory`` holds if another sandbox, which had made the parent,
    ///   has just removed it: try again.
    public static func create(path: String, limits: CgroupLimits) throws(CgroupError) -> HostCgroup {
        try create(path: path, limits: limits, layout: try CgroupLayout.current())
    }

    static func create(path: String, limits: CgroupLimits, layout: CgroupLayout) throws(CgroupError) -> HostCgroup {
        let path = try CgroupPath(path)
        var cgroup = HostCgroup(directories: [], made: [])
        do throws(CgroupError) {
            try cgroup.create(path, limits, layout)
            return cgroup
        } catch {
            try? cgroup.remove()
            throw error
        }
    }

    /// The cgroup of this path that somebody else has made, in the hierarchies that have it: it is nobody's to remove here.
    ///
    /// - Throws: `open` where no hierarchy has it.
    public static func existing(path: String) throws(CgroupError) -> HostCgroup {
        try existing(path: path, layout: try CgroupLayout.current())
    }

    static func existing(path: String, layout: CgroupLayout) throws(CgroupError) -> HostCgroup {
        let names = try CgroupPath(path)
        let directories = hierarchies(of: layout).map { hierarchy in
            ([hierarchy.mountPoint] + names.names(in: hierarchy)).joined(separator: "/")
        }
        let found = directories.filter { (try? FileDescriptor.open($0, [.path, .directory])) != nil }
        guard !found.isEmpty else { throw .open(path: directories.first ?? path, .noSuchFile) }
        return HostCgroup(directories: found, made: [])
    }

    private static func hierarchies(of layout: CgroupLayout) -> [CgroupLayout.Hierarchy] {
        switch layout.version {
        case .one: layout.versionOne
        case .two: [layout.unified].compactMap { $0 }
        case .none: []
        }
    }

    /// The directories that ``create(path:limits:)`` would make now, parents first.
    public static func missing(path: String) throws(CgroupError) -> [String] {
        try missing(path: path, layout: try CgroupLayout.current())
    }

    static func missing(path: String, layout: CgroupLayout) throws(CgroupError) -> [String] {
        let path = try CgroupPath(path)
        var missing: [String] = []
        for hierarchy in hierarchies(of: layout) {
            var directory = hierarchy.mountPoint
            for name in path.names(in: hierarchy) {
                directory += "/\(name)"
                do throws(Errno) { _ = try FileDescriptor.open(directory, [.path, .directory]) } catch {
                    guard error == .noSuchFile else { throw .open(path: directory, error) }
                    missing.append(directory)
                }
            }
        }
        return missing
    }

    mutating func create(
        _ path: CgroupPath, _ limits: CgroupLimits, _ layout: CgroupLayout
    ) throws(CgroupError) {
        switch layout.version {
        case .one: try createVersionOne(path, try limits.settings(.one), layout.versionOne)
        case .two: try createVersionTwo(path, try limits.settings(.two), layout.unified)
        case .none:
            if let setting = try limits.settings(.one).first { throw .controllerMissing(setting.controller) }
        }
    }

    mutating func createVersionOne(
        _ path: CgroupPath, _ settings: [CgroupLimits.Setting], _ hierarchies: [CgroupLayout.Hierarchy]
    ) throws(CgroupError) {
        for hierarchy in hierarchies {
            var directory = hierarchy.mountPoint
            for name in path.names(in: hierarchy) {
                let parent = directory
                directory += "/\(name)"
                try make(directory)
                if hierarchy.controllers.contains("cpuset") { try Self.inheritSets(directory, from: parent) }
            }
            try checkEmpty(directory)
            directories.append(directory)
            for setting in settings where hierarchy.controllers.contains(setting.controller) {
                try ControlFile.write(setting.value, to: "\(directory)/\(setting.file)")
            }
        }
        for setting in settings where !hierarchies.contains(where: { $0.controllers.contains(setting.controller) }) {
            throw .controllerMissing(setting.controller)
        }
    }

    /// Copies the parent's processors and memory nodes to a cpuset that has none: no process may enter such a one, and
    /// version 1 makes them so. It may have been made by another sandbox just now.
    static func inheritSets(_ directory: String, from parent: String) throws(CgroupError) {
        for file in ["cpuset.cpus", "cpuset.mems"] {
            guard try ControlFile.words("\(directory)/\(file)").isEmpty else { continue }
            let text = try ControlFile.read("\(parent)/\(file)")
            let value = text.split(at: "\n").first.map(String.init) ?? ""
            if !value.isEmpty { try ControlFile.write(value, to: "\(directory)/\(file)") }
        }
    }

    mutating func createVersionTwo(
        _ path: CgroupPath, _ settings: [CgroupLimits.Setting], _ hierarchy: CgroupLayout.Hierarchy?
    ) throws(CgroupError) {
        guard let hierarchy else { return }
        let needed = Set(settings.map(\.controller))
        var directory = hierarchy.mountPoint
        for name in path.names(in: hierarchy) {
            try Self.passOn(needed, from: directory)
            directory += "/\(name)"
            try make(directory)
        }
        try checkEmpty(directory)
        directories.append(directory)
        for setting in settings { try ControlFile.write(setting.value, to: "\(directory)/\(setting.file)") }
    }

    /// Enables controllers for the cgroups below `directory`: those that a limit needs, and if possible the others, for
    /// statistics. A cgroup that holds processes enables none (EBUSY).
    static func passOn(_ needed: Set<String>, from directory: String) throws(CgroupError) {
        let available = try ControlFile.words("\(directory)/cgroup.controllers")
        let passedOn = try ControlFile.words("\(directory)/cgroup.subtree_control")
        for controller in CgroupLimits.controllers where !passedOn.contains(controller) {
            let isNeeded = needed.contains(controller)
            guard available.contains(controller) else {
                if isNeeded { throw .controllerMissing(controller) }
                continue
            }
            do {
                try ControlFile.write("+\(controller)", to: "\(directory)/cgroup.subtree_control")
            } catch {
                if isNeeded { throw error }
            }
        }
    }

    /// Makes a directory, and notes it in ``made`` if it was not there before.
    mutating func make(_ directory: String) throws(CgroupError) {
        do {
            try Directory.make(directory, at: .currentDirectory)
            made.append(directory)
        } catch .exists {
            return
        } catch {
            throw .make(path: directory, error)
        }
    }

    /// Refuses a cgroup that another sandbox's processes are in.
    func checkEmpty(_ directory: String) throws(CgroupError) {
        if made.last != directory, try !ControlFile.processes(in: directory).isEmpty {
            throw .occupied(path: directory)
        }
    }

    /// Opens each directory's cgroup.procs for writing: a process whose pid is written there joins, and 0 is the writer.
    /// The descriptors are close-on-exec.
    public func openProcessLists() throws(CgroupError) -> DescriptorList {
        var lists = DescriptorList()
        for directory in directories {
            let path = "\(directory)/cgroup.procs"
            do {
                lists.append(try FileDescriptor.open(path, .writeOnly))
            } catch {
                throw .open(path: path, error)
            }
        }
        return lists
    }

    /// The directory with the memory controller's files; nil if no hierarchy has it.
    public var memoryDirectory: String? {
        directories.first { directory in
            ["memory.limit_in_bytes", "memory.max"].contains { name in
                (try? FileDescriptor.open("\(directory)/\(name)", .path)) != nil
            }
        }
    }

    /// The pids, in the caller's pid namespace, of the processes in the cgroup itself.
    public func processes() throws(CgroupError) -> [Int32] {
        var pids: Set<Int32> = []
        for directory in directories { pids.formUnion(try ControlFile.processes(in: directory)) }
        return pids.sorted()
    }
}
