import ArgumentParser
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
        return items.contains { $0.state == .fail } ? 1 : 0
    }

    static func text(_ items: [CheckItem]) -> String {
        let width = items.map(\.name.count).max() ?? 0
        return items.map { item in
            let name = item.name + String(repeating: " ", count: width - item.name.count)
            let state = item.state.rawValue + String(repeating: " ", count: 4 - item.state.rawValue.count)
            let indent = String(repeating: " ", count: width + 8)
            return "\(name)  \(state)  \(item.found)\n"
                + (item.cause.map { "\(indent)cause: \($0)\n" } ?? "")
                + (item.cure.map { "\(indent)cure:  \($0)\n" } ?? "")
        }.joined()
    }
}
