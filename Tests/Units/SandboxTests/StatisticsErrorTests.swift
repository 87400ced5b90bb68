// SPDX-License-Identifier: Apache-2.0
import Cgroup
import Testing

@testable import Sandbox

@Test("A figure that no kernel writes is laid to the guest agent")
func guestIsNamed() {
    let error = RuntimeError.statistics(.malformed(file: "memory.max", line: 1))
    #expect("\(error)" == "guest agent: memory.max: line 1 is malformed")
    #expect("\(RuntimeError.statistics(.tooLong(file: "io.stat")))" == "guest agent: io.stat is too long")
}
