// SPDX-License-Identifier: Apache-2.0
import AgentCore
import Linux

/// The agent on a development machine: unix sockets for vsock, a directory for the shared tree.
enum HostedAgent {
    /// Arguments: the two sockets' numbers, the shared directory, an empty directory, a cgroup v2 directory,
    /// the kernel's list of block devices.
    static func main() {
        let words = CommandLine.arguments
        guard words.count == 7, let control = Int32(words[1]), let streams = Int32(words[2]) else {
            Process.exitNow(64)
        }
        var settings = AgentSettings(sharedDirectory: words[3], rootMountPoint: words[4], cgroupDirectory: words[5])
        settings.blockDevices = words[6]
        do throws(Errno) {
            // Its test may end at any time.
            try Process.setParentDeathSignal(9)
            let agent = try Agent(
                control: FileDescriptor(owning: control), streams: FileDescriptor(owning: streams), settings: settings)
            try agent.run()
        } catch {
            Process.exitNow(error.rawValue)
        }
    }
}
