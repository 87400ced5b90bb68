// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Overlay

@Suite("Overlay: options") struct OverlayOptionsTests {
    private func error(_ options: String...) -> OverlayError? {
        do throws(OverlayError) { _ = try OverlayOptions(options) } catch { return error }
        return nil
    }

    @Test("Overlay options are split into lower, data, upper and work directories and the rest")
    func optionsAreParted() throws {
        let options = try OverlayOptions([
            "lowerdir=/a:/b\\:c\\,d:/e\\\\f::/g::/h,upperdir=/u=v\\,w", "workdir=/w,index=off", "", "xino=auto",
        ])
        #expect(options.lower == ["/a", "/b:c,d", "/e\\f"])
        #expect(options.data == ["/g", "/h"])
        #expect(options.upper == "/u=v,w")
        #expect(options.work == "/w")
        #expect(options.others == ["index=off", "xino=auto"])
        #expect(OverlayOptions.escaped("/b:c,d\\e") == "/b\\:c\\,d\\\\e")
    }

    @Test("A wrong overlay option is named in the error")
    func whatIsWrongIsNamed() {
        #expect(error("upperdir=/u", "workdir=/w") == .optionMissing("lowerdir"))
        #expect(error("lowerdir=/a", "upperdir=/u") == .optionMissing("workdir"))
        #expect(error("lowerdir=/a:b") == .relativePath(option: "lowerdir", "b"))
        #expect(error("lowerdir=/a", "upperdir=../u", "workdir=/w") == .relativePath(option: "upperdir", "../u"))
        #expect(error("lowerdir=/a\0b") == .relativePath(option: "lowerdir", "/a\0b"))
        #expect(error("lowerdir=/a", "x=\0") == .unsupportedOption("x=\0"))
        #expect(error("lowerdir=/a", "lowerdir+=/b") == .unsupportedOption("lowerdir+=/b"))
        #expect(OverlayError.unsupportedOption("a\nb").description == "option \"a?b\" is not supported")
    }

    @Test("The number of layers and the length of their list are bounded")
    func itIsBounded() {
        #expect(error("lowerdir=" + String(repeating: "/a:", count: 501)) == .mount(.tooManyLayers, detail: ""))
        #expect(error("lowerdir=/" + String(repeating: "a", count: 1 << 20)) == .mount(.nameTooLong, detail: ""))
    }
}
