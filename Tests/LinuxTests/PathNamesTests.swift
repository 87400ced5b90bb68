import Linux
import Testing

struct PathNamesTests {
    @Test(arguments: [
        ("/a/b", "/a/b"), ("/a//./b/", "/a/b"), ("/a/../b", "/b"), ("/../..", "/"), ("", "/"), ("a", "/a"),
        ("/proc/\u{301}/../../b/\u{301}", "/b/\u{301}"),
    ])
    func cleanedPaths(path: String, cleaned: String) {
        #expect(path.cleanedPath.utf8.elementsEqual(cleaned.utf8))
    }

    @Test func aSlashBeforeACombiningMarkIsASlash() {
        #expect("a/\u{301}b//c/".pathNames == ["a", "\u{301}b", "c"])
        #expect("/\u{301}a".isAbsolutePath)
        #expect(!"a/".isAbsolutePath && !"".isAbsolutePath)
    }
}
