// SPDX-License-Identifier: Apache-2.0
extension Spec {
    /// The annotations of a document. Nothing else in it is looked at, but that the whole is JSON: what starts a
    /// container wants to know which sandbox it belongs to before the rest is judged.
    public static func annotations(of bytes: [UInt8]) throws(SpecError) -> [String: String] {
        guard case .object(let members) = try JSONParser.parse(bytes) else { return [:] }
        guard let member = members.first(where: { $0.key == "annotations" }), member.value != .null else { return [:] }
        do {
            return try [String: String](json: member.value)
        } catch {
            throw error.within("annotations")
        }
    }
}
