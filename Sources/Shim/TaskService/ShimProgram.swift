import Glibc
import Handshake
import Linux

/// containerd-shim-fc-runc-v2: what containerd starts to have containers run by fc-runc.
public enum ShimProgram {
    public static func main() -> Never {
        do {
            let invocation = try Invocation(arguments: CommandLine.arguments, environment: .current)
            switch invocation.action {
            case .start: print(try StartCommand.run(invocation, input: StartCommand.readInput()))
            case .delete: print(DeleteCommand.run(invocation))
            case .serve: try serve(invocation)
            case .version: print(Answers.version())
            case .info: print(Answers.info(features: []))
            }
        } catch {
            let standardError = FileDescriptor(owning: 2)
            try? standardError.writeAll(Array("\(error)\n".utf8))
            Process.exitNow(1)
        }
        Process.exitNow(0)
    }

    private static func print(_ bytes: [UInt8]) {
        let standardOutput = FileDescriptor(owning: 1)
        try? standardOutput.writeAll(bytes)
        _ = standardOutput.release()
    }

    private static func serve(_ invocation: Invocation) throws {
        Process.setName("containerd-shim")
        var served = try ServedShim.take(invocation)
        let shim: Shim
        do {
            shim = try Shim(invocation, listener: served.takeListener())
        } catch {
            served.reportFailure("\(error)")
            throw error
        }
        served.reportReady()
        try shim.serve()
        served.removeSocket()
    }
}
