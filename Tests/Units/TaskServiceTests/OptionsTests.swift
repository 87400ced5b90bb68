// SPDX-License-Identifier: Apache-2.0
import TTRPC
import TaskProtocol
import Testing

@testable import TaskService

/// What the options of a request come to: settings made for runc keep working, and what would be missed is refused.
@Suite struct OptionsTests {
    func runc(_ fill: (inout RuncOptions) -> Void) -> AnyMessage {
        AnyMessage(type: TypeName.runcOptions, RuncOptions.with(fill))
    }

    @Test("A request without options has the default settings")
    func noneAreTheStandardOnes() throws {
        #expect(try VerbSettings(nil) == VerbSettings())
        #expect(try VerbSettings(AnyMessage()) == VerbSettings())
    }

    @Test("Of runc's options the root is taken and the program is ignored")
    func runcsRootIsTakenAndItsProgramIsNot() throws {
        let options = runc {
            $0.root = "/run/elsewhere"
            $0.binaryName = "crun"
            $0.noPivotRoot = true
            $0.shimCgroup = "/x"
        }
        #expect(try VerbSettings(options) == VerbSettings(root: "/run/elsewhere"))
    }

    @Test("The path of a configuration file is taken before its body")
    func aConfigurationIsTakenFromAFile() throws {
        let options = AnyMessage(
            type: TypeName.criRuntimeOptions,
            CRIRuntimeOptions.with {
                $0.configPath = "/etc/other.toml"
                $0.configBody = [1]
            })
        #expect(try VerbSettings(options) == VerbSettings(configuration: "/etc/other.toml"))
    }

    @Test("Options that cannot be honoured are refused")
    func whatWouldBeMissedIsRefused() {
        let refused = [
            runc { $0.systemdCgroup = true }, runc { $0.ioUID = 1000 }, runc { $0.ioGID = 1000 },
            runc { $0.root = "relative" }, AnyMessage(type: TypeName.runcOptions, value: [0xFF]),
            AnyMessage(type: TypeName.criRuntimeOptions, CRIRuntimeOptions.with { $0.configBody = [1] }),
            AnyMessage(type: "somebody.else.Options", value: []),
        ]
        for options in refused {
            #expect { try VerbSettings(options) } throws: { ($0 as? Failure)?.code == .invalidArgument }
        }
    }
}
