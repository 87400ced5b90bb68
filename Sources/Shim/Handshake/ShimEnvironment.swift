// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux

/// What containerd tells a shim by its environment.
public struct ShimEnvironment: Hashable, Sendable {
    /// Where events go (TTRPC_ADDRESS), GRPC_ADDRESS, and NAMESPACE.
    public var ttrpcAddress = ""
    /// containerd's main socket; empty where it is not said.
    public var grpcAddress = ""
    /// The containerd namespace; empty where it is not said.
    public var namespace = ""
    /// The newest version of the task service that containerd speaks, as it says (MAX_SHIM_VERSION). 1.6 says nothing.
    public var maximumVersion: Int?

    /// - Parameter variables: `NAME=value` strings; the last of a name counts.
    public init(variables: [String]) {
        for variable in variables {
            let parts = variable.split(at: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[1].utf8.count <= Flags.byteLimit else { continue }
            switch parts[0] {
            case "TTRPC_ADDRESS": ttrpcAddress = String(parts[1])
            case "GRPC_ADDRESS": grpcAddress = String(parts[1])
            case "NAMESPACE": namespace = String(parts[1])
            case "MAX_SHIM_VERSION": maximumVersion = Int(parts[1]).flatMap { $0 > 0 ? $0 : nil }
            default: break
            }
        }
    }

    /// This process's environment, all of it.
    public static var variables: [String] {
        var variables: [String] = []
        // The C library's list: strings that end, and a null pointer. It does not change, as there is one thread.
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            unsafe variables.append(String(cString: text))
            unsafe entry += 1
        }
        return variables
    }
}
