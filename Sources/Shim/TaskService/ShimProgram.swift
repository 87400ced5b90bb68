// SPDX-License-Identifier: Apache-2.0
import Configuration
import Glibc
import Handshake
import Linux
import OCISpec
import Planning
import TaskProtocol

/// containerd-shim-fc-runc-v2: what containerd starts to have containers run by fc-runc.
public enum ShimProgram {
    public static func main() -> Never {
        do {
            let environment = ShimEnvironment(variables: ShimEnvironment.variables)
            let invocation = try Invocation(arguments: CommandLine.arguments, environment: environment)
            switch invocation.action {
            case .start: print(try start(invocation))
            case .delete: print(DeleteCommand.run(invocation))
            case .serve: try serve(invocation)
            case .version: print(Answers.version(Version.number, specification: Spec.newestVersion))
            case .info: print(try info())
            }
        } catch {
            try? BorrowedDescriptor.standardError.writeAll(Array("\(error)\n".utf8))
            Process.exitNow(1)
        }
        Process.exitNow(0)
    }

    private static func print(_ bytes: [UInt8]) {
        try? BorrowedDescriptor.standardOutput.writeAll(bytes)
    }

    private static func start(_ invocation: Invocation) throws(HandshakeError) -> [UInt8] {
        let input = try StartCommand.readInput()
        return try StartCommand().run(invocation, input: input) { annotations throws(HandshakeError) in
            let role: PodRole
            do { role = try PodRole(annotations: annotations) } catch { throw .annotations("\(error)") }
            if case .member(let sandbox) = role { return sandbox }
            return nil
        }
    }

    private static func info() throws -> [UInt8] {
        let input = try StartCommand.readInput()
        return Answers.info(
            version: Version.number, options: input.isEmpty ? nil : try AnyMessage(decoding: input),
            features: Features(annotations: ["fc-runc.version": Version.number]).encoded())
    }

    private static func serve(_ invocation: Invocation) throws {
        Process.setName("containerd-shim")
        var served = try ServedShim(invocation)
        let shim: Shim
        do {
            switch served.takeListener() {
            case .some(let listener): shim = try Shim(invocation, listener: listener)
            // It is given away once, here.
            case .none: throw Errno.badFileDescriptor
            }
        } catch {
            served.reportFailure("\(error)")
            throw error
        }
        served.reportReady()
        try shim.serve()
        served.removeSocket()
    }
}
