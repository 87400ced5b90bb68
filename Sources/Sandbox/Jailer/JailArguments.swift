// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

/// A JailPlan as the words of a command line: each field is a word of its own, so that no value is taken for another,
/// whatever characters it has. ``JailPlan/init(parsing:)`` reads it.
extension JailPlan {
    /// The words after the program's name.
    public var arguments: [String] {
        var words = ["--id", id, "--lifeline-fd", "\(lifeline)", "--status-fd", "\(status)"]
        if let log { words += ["--log-pipe-fd", "\(log.pipe)", "--log-file-fd", "\(log.file)"] }
        for descriptor in cgroups { words += ["--cgroup-fd", "\(descriptor)"] }
        if let networkNamespace { words += ["--netns-fd", "\(networkNamespace)"] }
        for process in processes { words += process.words }
        return words
    }

    /// Every descriptor that the plan names: the process that starts fc-jailer leaves these open across exec.
    public var inheritedDescriptors: Set<Int32> {
        var numbers: Set<Int32> = [lifeline, status]
        if let log { numbers.formUnion([log.pipe, log.file]) }
        numbers.formUnion(cgroups)
        if let networkNamespace { numbers.insert(networkNamespace) }
        for process in processes {
            for descriptor in process.descriptors { numbers.insert(descriptor.source) }
            for mount in process.mounts {
                if case .detached(let descriptor, _) = mount.source { numbers.insert(descriptor) }
            }
        }
        return numbers
    }
}

extension JailedProcess {
    /// The process's part of the command line, `--process` first.
    var words: [String] {
        var words = ["--process", name, "--executable", executable]
        for mount in mounts { words += mount.words }
        for descriptor in descriptors { words += ["--descriptor", "\(descriptor.source)", "\(descriptor.target)"] }
        for capability in capabilities { words += ["--capability", "\(capability)"] }
        for limit in resourceLimits { words += ["--limit", "\(limit.resource)", "\(limit.soft)", "\(limit.hard)"] }
        if let uid { words += ["--uid", "\(uid)"] }
        if let gid { words += ["--gid", "\(gid)"] }
        for argument in arguments { words += ["--argument", argument] }
        for variable in environment { words += ["--environment", variable] }
        return words
    }
}

extension JailMount {
    var words: [String] {
        let access = isReadOnly ? "ro" : "rw"
        switch source {
        case .host(let path):
            return ["--mount-host", path, destination, access]
        case .detached(let descriptor, let isFile):
            return ["--mount-detached", "\(descriptor)", destination, access, isFile ? "file" : "directory"]
        case .processes:
            return ["--mount-processes", destination, access]
        case .temporary:
            return ["--mount-temporary", destination, access]
        case .devices(let names):
            return ["--mount-devices", destination, access] + names.flatMap { ["--device", $0] }
        }
    }
}
