import CLinux
import Glibc
import Linux

/// The sandbox's cgroup on the host: one directory in each hierarchy of version 1, or the one of version 2.
/// A value of plain paths, which the runtime's state can keep for whoever deletes the sandbox later.
public struct HostCgroup: Hashable, Sendable {
    /// The directories, absolute, one in each hierarchy. Empty where the host has no cgroups mounted.
    public var directories: [String]
    /// Those of them, and of the directories above them, that were not there before; parents first. Only these
    /// are ever removed.
    public var made: [String]

    public init(directories: [String], made: [String]) {
        self.directories = directories
        self.made = made
    }

    /// Makes the cgroup `path` names (runtime-spec config-linux.md#cgroups-path) and writes its limits. What was
    /// made is taken away again where a later step does not succeed.
    public static func create(path: String, limits: CgroupLimits) throws(CgroupError) -> HostCgroup {
        try create(path: path, limits: limits, layout: try CgroupLayout.current())
    }

    static func create(path: String, limits: CgroupLimits, layout: CgroupLayout) throws(CgroupError) -> HostCgroup {
        let path = try CgroupPath(path)
        var attempts = 10
        while true {
            var cgroup = HostCgroup(directories: [], made: [])
            do throws(CgroupError) {
                try cgroup.create(path, limits, layout)
                return cgroup
            } catch {
                try? cgroup.remove()
                // Another sandbox was the last one in a parent it had made, and has just taken it away.
                attempts -= 1
                if error.isOfWhatIsGone, attempts > 0 { continue }
                throw error
            }
        }
    }

    mutating func create(
        _ path: CgroupPath, _ limits: CgroupLimits, _ layout: CgroupLayout
    ) throws(CgroupError) {
        switch layout.version {
        case .one: try createVersionOne(path, try limits.versionOneSettings(), layout.versionOne)
        case .two: try createVersionTwo(path, try limits.versionTwoSettings(), layout.unified)
        case .none:
            if let setting = try limits.versionOneSettings().first { throw .controllerMissing(setting.controller) }
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

    /// Version 1 gives a new cpuset no processor and no memory, and no process may enter such a one. One that was there
    /// may be another sandbox's that has just made it, and still be empty.
    static func inheritSets(_ directory: String, from parent: String) throws(CgroupError) {
        for file in ["cpuset.cpus", "cpuset.mems"] {
            guard try ControlFile.words("\(directory)/\(file)").isEmpty else { continue }
            let text = try ControlFile.read("\(parent)/\(file)")
            let value = text.split(separator: "\n").first.map(String.init) ?? ""
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

    /// Lets the cgroups below `directory` have their controllers: those a limit needs, and the others for
    /// statistics where that is possible. A cgroup that holds processes passes none on (EBUSY).
    static func passOn(_ needed: Set<String>, from directory: String) throws(CgroupError) {
        let available = try ControlFile.words("\(directory)/cgroup.controllers")
        let passedOn = try ControlFile.words("\(directory)/cgroup.subtree_control")
        for controller in ["cpu", "cpuset", "io", "memory", "pids"] where !passedOn.contains(controller) {
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

    /// mkdir(2), noting down what was not there before.
    @discardableResult
    mutating func make(_ directory: String) throws(CgroupError) -> Bool {
        do {
            try Directory.make(directory, at: FileDescriptor.currentDirectory)
            made.append(directory)
            return true
        } catch .exists {
            return false
        } catch {
            throw .make(path: directory, error)
        }
    }

    /// A sandbox has its cgroup to itself: an earlier one's, still busy, is not joined.
    func checkEmpty(_ directory: String) throws(CgroupError) {
        if made.last != directory, try !ControlFile.processes(in: directory).isEmpty {
            throw .occupied(path: directory)
        }
    }

    /// Opens each directory's cgroup.procs for writing: what is written there, a pid or 0, joins. The
    /// descriptors close at exec and are the caller's to close.
    public func openProcessLists() throws(CgroupError) -> [Int32] {
        var numbers: [Int32] = []
        for directory in directories {
            let path = "\(directory)/cgroup.procs"
            do {
                numbers.append(try FileDescriptor.open(path, .writeOnly).release())
            } catch {
                for number in numbers { _ = FileDescriptor(owning: number) }
                throw .open(path: path, error)
            }
        }
        return numbers
    }

    /// The pids, as the caller's pid namespace has them, of all that is in the cgroup itself.
    public func processes() throws(CgroupError) -> [Int32] {
        var pids: Set<Int32> = []
        for directory in directories { pids.formUnion(try ControlFile.processes(in: directory)) }
        return pids.sorted()
    }
}
