// SPDX-License-Identifier: Apache-2.0
import Linux

extension HostCgroup {
    /// Writes `limits` to the cgroup; others stay as they are.
    ///
    /// - Throws: `controllerMissing` for a limit whose controller no directory has, and `write`. Limits written before
    ///   stay.
    public func update(_ limits: CgroupLimits) throws(CgroupError) {
        try update(limits, layout: try CgroupLayout.current())
    }

    func update(_ limits: CgroupLimits, layout: CgroupLayout) throws(CgroupError) {
        let settings: [CgroupLimits.Setting]
        var places: [(directory: String, controllers: [String]?)] = []
        switch layout.version {
        case .one:
            settings = try limits.settings(.one)
            for hierarchy in layout.versionOne {
                let below = directories.first { $0.begins(with: hierarchy.mountPoint + "/") }
                if let below { places.append((below, hierarchy.controllers)) }
            }
        case .two, .none:
            settings = try limits.settings(.two)
            if layout.version == .two, let directory = directories.first { places.append((directory, nil)) }
        }
        for setting in settings {
            guard let place = places.first(where: { $0.controllers?.contains(setting.controller) ?? true }) else {
                throw .controllerMissing(setting.controller)
            }
            try ControlFile.write(setting.value, to: "\(place.directory)/\(setting.file)")
        }
    }
}
