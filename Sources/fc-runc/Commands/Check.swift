// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Engine
import Sandbox

struct Check: RuntimeCommand {
    static let name = "check"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Print what the host offers, what is missing, and the cure.")

    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    /// - Returns: 1 where something fails that containers need.
    func execute(_ context: Context) throws -> Int32 {
        let items = context.runtime.check()
        Output.write(Self.text(items))
        return items.allSatisfy(\.isSatisfied) ? 0 : 1
    }

    static func text(_ items: [HostItem]) -> String {
        let width = items.map(\.name.count).max() ?? 0
        return items.map { item in
            let name = item.name + String(repeating: " ", count: width - item.name.count)
            let indent = String(repeating: " ", count: width + 8)
            return switch item.state {
            case .available(let detail): "\(name)  ok    \(detail)\n"
            case .lacking(let cause, let cure): "\(name)  warn  \(cause)\n\(indent)cure: \(cure)\n"
            case .missing(let cause, let cure): "\(name)  fail  \(cause)\n\(indent)cure: \(cure)\n"
            }
        }.joined()
    }
}
