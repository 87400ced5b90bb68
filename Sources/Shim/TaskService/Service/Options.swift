// SPDX-License-Identifier: Apache-2.0
import Linux
import TTRPC
import TaskProtocol

extension VerbSettings {
    /// What the options of a request come to.
    ///
    /// runc's own are taken as far as they mean something here: `root` is; what says how runc treats the host's own
    /// kernel (pivot_root, keyrings), and which program it is, changes nothing that a container sees and is passed over, so
    /// that settings made for runc keep working. The shim joins its cgroup when it is started. What the caller would miss is
    /// refused.
    init(_ options: AnyMessage?) throws(Failure) {
        self.init()
        guard let options, !options.typeURL.isEmpty else { return }
        if options.isA(TypeName.runcOptions) {
            let runc: RuncOptions = try Self.decode(options)
            if runc.systemdCgroup {
                throw Failure(.invalidArgument, "options: SystemdCgroup is not supported: cgroups are made by path")
            }
            if runc.ioUID != 0 || runc.ioGID != 0 {
                throw Failure(.invalidArgument, "options: IoUid and IoGid are not supported")
            }
            root = try Self.path(runc.root, "Root")
        } else if options.isA(TypeName.criRuntimeOptions) {
            let runtime: CRIRuntimeOptions = try Self.decode(options)
            configuration = try Self.path(runtime.configPath, "ConfigPath")
            guard runtime.configBody.isEmpty || configuration != nil else {
                throw Failure(
                    .invalidArgument, "options: ConfigBody is not supported: name a file in ConfigPath")
            }
        } else {
            throw Failure(.invalidArgument, "options of type \(options.typeURL) are not known")
        }
    }

    private static func decode<Message: TaskMessage>(_ options: AnyMessage) throws(Failure) -> Message {
        do { return try Message(decoding: options.value) } catch {
            throw Failure(.invalidArgument, "options: \(error)")
        }
    }

    private static func path(_ text: String, _ name: String) throws(Failure) -> String? {
        if text.isEmpty { return nil }
        guard text.begins(with: "/"), !text.utf8.contains(0) else {
            throw Failure(.invalidArgument, "options: \(name) \"\(text)\": not an absolute path")
        }
        return text
    }
}
