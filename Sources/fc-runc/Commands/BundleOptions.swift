// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Configuration
import Sandbox

/// What create and run share.
struct BundleOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "The bundle. (default: the current directory)")
    var bundle: String?

    @Option(help: "The unix socket that is sent the terminal's master side.")
    var consoleSocket: String?

    @Option(help: ArgumentHelp("Not supported.", visibility: .hidden))
    var pidfdSocket: String?

    @Option(help: "The file to write the container's process id to.")
    var pidFile: String?

    @Flag(help: "Taken for runc's callers: the root file system is the guest's own either way.")
    var noPivot = false

    @Flag(help: "Taken for runc's callers: the guest's session keyring is the container's own either way.")
    var noNewKeyring = false

    @Option(help: "How many descriptors, from 3 on, the container's process gets.")
    var preserveFds = 0

    @Argument(help: "The name for the container, unique on the host.")
    var containerID: String

    func request() throws(UsageError) -> CreateRequest {
        if let pidfdSocket, !pidfdSocket.isEmpty {
            throw .unsupportedOption("--pidfd-socket", reason: "the process is in a virtual machine")
        }
        guard (0...1024).contains(preserveFds) else {
            throw .countOutOfRange(option: "--preserve-fds", value: preserveFds)
        }
        var request = CreateRequest(id: containerID, bundle: AbsolutePath.of(bundle ?? "."))
        request.pidFile = pidFile.map(AbsolutePath.of)
        request.consoleSocket = consoleSocket.map(AbsolutePath.of)
        request.preservedDescriptorCount = preserveFds
        return request
    }
}
