extension Spec {
    /// The annotations of a document. Nothing else in it is looked at, but that the whole is JSON: what starts a
    /// container wants to know whom it belongs to before anybody has to judge the rest.
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
