// SPDX-License-Identifier: Apache-2.0
/// Paths are looked at byte by byte: Swift's characters would take a slash and what combines with it for one.
func isAbsolute(_ path: String) -> Bool { path.utf8.first == UInt8(ascii: "/") }

func requireAbsolute(_ path: String, _ field: @autoclosure () -> String) throws(SpecError) {
    if path.isEmpty { throw SpecError(field(), .empty) }
    if !isAbsolute(path) { throw SpecError(field(), .notAbsolute(path)) }
}

func hasParentReference(_ path: String) -> Bool {
    path.utf8.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("..".utf8) }
}
