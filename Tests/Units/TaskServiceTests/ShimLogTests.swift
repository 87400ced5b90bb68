// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaskService

/// Lines that nobody can forge, with the ids they are found by.
@Suite struct ShimLogTests {
    let log = ShimLog(namespace: "k8s.io", sandbox: "pod", isDebug: false)

    @Test("A log line names its time, level, container, namespace and sandbox")
    func aLineTellsWhatItIsAbout() {
        #expect(
            log.line(TaskNote(.error, "c1", "create: no such \"file\""), at: "T") == """
                time="T" level=error msg="create: no such \\"file\\"" id=c1 namespace=k8s.io \
                runtime=io.containerd.fc-runc.v2 sandbox=pod

                """)
        #expect(!log.line(TaskNote(.info, "", "x"), at: "T").contains(" id="))
    }

    @Test("Control characters are escaped, so that a message stays one line")
    func whatAGuestSaysIsOneLine() {
        let line = log.line(TaskNote(.error, "c", "a\nb\u{1B}[2J\u{7F}\\"), at: "T")
        #expect(line.contains(#"msg="a\nb\x1b[2J\x7f\\""#))
        #expect(line.utf8.count { $0 == 10 } == 1)
    }

    @Test("A long message is cut, and the ids after it are kept")
    func longTextsAreCutAndIdsAreNot() {
        let line = log.line(TaskNote(.error, "c", String(repeating: "\"", count: 100_000)), at: "T")
        #expect(line.utf8.count <= ShimLog.lineLimit)
        #expect(line.hasSuffix("id=c namespace=k8s.io runtime=io.containerd.fc-runc.v2 sandbox=pod\n"))
    }
}
