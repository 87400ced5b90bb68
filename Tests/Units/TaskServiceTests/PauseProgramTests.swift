// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Testing

@testable import TaskService

/// The program that keeps a sandbox there, run on the host.
@Suite struct PauseProgramTests {
    @Test("The pause program waits for SIGTERM and exits with 0")
    func waitsUntilItIsTold() throws {
        let path = "/tmp/fc-runc-pause-\(getpid())"
        defer { try? Directory.remove(path, isDirectory: false) }
        // Closed before it is run: a program that is open for writing cannot be.
        do {
            let file = try FileDescriptor.open(path, [.writeOnly, .create, .exclusive], mode: 0o700)
            try file.writeAll(PauseProgram.image)
        }
        let pid = try Process.spawn(path, [])
        let process = try Process.descriptor(of: pid)
        #expect(try Poll.wait(process.borrowed, .readable, until: Deadline(after: .milliseconds(200))).isEmpty)
        try Process.kill(pid, SIGTERM)
        #expect(try Process.wait(for: pid)?.status == .exited(code: 0))
    }
}
