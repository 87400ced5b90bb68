// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@Suite("Linux: path names") struct PathNamesTests {
    @Test(
        "Cleaning a path makes it absolute and resolves its dots and repeated slashes",
        arguments: [
            ("/a/b", "/a/b"), ("/a//./b/", "/a/b"), ("/a/../b", "/b"), ("/../..", "/"), ("", "/"), ("a", "/a"),
            ("/proc/\u{301}/../../b/\u{301}", "/b/\u{301}"),
        ])
    func cleanedPaths(path: String, cleaned: String) {
        #expect(path.cleanedPath.utf8.elementsEqual(cleaned.utf8))
    }

    @Test("A slash before a combining mark separates path names")
    func aSlashBeforeACombiningMarkIsASlash() {
        #expect("a/\u{301}b//c/".pathNames == ["a", "\u{301}b", "c"])
        #expect("/\u{301}a".isAbsolutePath)
        #expect(!"a/".isAbsolutePath && !"".isAbsolutePath)
    }
}
