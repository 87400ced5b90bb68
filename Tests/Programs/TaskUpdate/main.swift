// SPDX-License-Identifier: Apache-2.0
import Linux
import TTRPC
import TaskProtocol

// task-update ADDRESS ID: asks the shim at ADDRESS, as containerd would, to change a task's limits to the runtime-spec
// resources on standard input. With - for ID, standard input is all of the request's message. For the integration
// tests: ctr of containerd 1.6 has no word for it.

let words = CommandLine.arguments
guard words.count == 3 else { Process.exitNow(64) }
let path = words[1].hasPrefix("unix://") ? String(words[1].dropFirst(7)) : words[1]

/// Ends the program, having said `text` on standard error.
func end(_ status: Int32, _ text: String) -> Never {
    let standardError = FileDescriptor(owning: 2)
    try? standardError.writeAll(Array("\(text)\n".utf8))
    Process.exitNow(status)
}

do throws(Errno) {
    let standardInput = FileDescriptor(owning: 0)
    let input = try standardInput.readAll(limit: 1 << 20)
    let request =
        words[2] == "-"
        ? input
        : UpdateTaskRequest.with {
            $0.id = words[2]
            $0.resources = AnyMessage.with {
                $0.typeURL = TypeName.linuxResources
                $0.value = input
            }
        }.encoded()
    let client = try Client(path: path)
    client.call(
        service: ServiceName.task2, method: TaskMethod.update.rawValue, payload: request, timeout: .seconds(60)
    ) { result in
        switch result {
        case .success: Process.exitNow(0)
        case .failure(let failure): end(1, "\(failure.code.rawValue): \(failure.message)")
        }
    }
    while true {
        _ = client.work(now: .now)
        _ = try Poll.wait(client.descriptor, .readable, until: Deadline(after: .seconds(1)))
    }
} catch {
    end(125, "\(path): \(error)")
}
