// SPDX-License-Identifier: Apache-2.0
public import TaskProtocol

/// What the commands that end at once print.
public enum Answers {
    /// The shim's name, which containerd makes of the runtime's.
    public static let programName = "containerd-shim-fc-runc-v2"

    /// `-v`.
    public static func version(_ version: String, specification: String) -> [UInt8] {
        Array("\(programName):\n  Version:  \(version)\n  spec:     \(specification)\n".utf8)
    }

    /// `-info`: containerd.types.RuntimeInfo.
    ///
    /// - Parameters:
    ///   - options: as they came on standard input, which is a bare Any here.
    ///   - features: the JSON document that `features` prints (runtime-spec features.md).
    public static func info(version: String, options: AnyMessage?, features: [UInt8]) -> [UInt8] {
        var described = AnyMessage()
        described.typeURL = "types.containerd.io/opencontainers/runtime-spec/1/features/Features"
        described.value = features
        var bytes = field(1, Array("io.containerd.fc-runc.v2".utf8))
        bytes += field(2, field(1, Array(version.utf8)))
        if let options { bytes += field(3, options.encoded()) }
        return bytes + field(4, described.encoded())
    }

    /// `delete`: a DeleteResponse.
    ///
    /// - Parameters:
    ///   - pid: of the process that stood for the container's, 0 where it is not known.
    ///   - exitStatus: 137, of SIGKILL, where no other is known.
    public static func deleted(pid: Int32, exitStatus: UInt32, seconds: Int64, nanoseconds: Int32) -> [UInt8] {
        var time = Timestamp()
        time.seconds = seconds
        time.nanoseconds = nanoseconds
        var response = DeleteResponse()
        response.pid = UInt32(max(pid, 0))
        response.exitStatus = exitStatus
        response.exitedAt = time
        return response.encoded()
    }

    /// A field of protobuf that has a length: a string, bytes or a message.
    private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        var header = [number << 3 | 2]
        var length = bytes.count
        while length >= 0x80 {
            header.append(UInt8(length & 0x7F) | 0x80)
            length >>= 7
        }
        return header + [UInt8(length)] + bytes
    }
}
