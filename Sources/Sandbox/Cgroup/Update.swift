extension HostCgroup {
    /// Writes `limits` into the cgroup as it is; what they do not name stays as it was.
    ///
    /// - Throws: `controllerMissing` for a limit that none of the directories can hold, and `write`. What was written
    ///   before stays.
    public func update(_ limits: CgroupLimits) throws(CgroupError) {
        try update(limits, layout: try CgroupLayout.current())
    }

    func update(_ limits: CgroupLimits, layout: CgroupLayout) throws(CgroupError) {
        let settings: [CgroupLimits.Setting]
        var places: [(directory: String, controllers: [String]?)] = []
        switch layout.version {
        case .one:
            settings = try limits.versionOneSettings()
            for hierarchy in layout.versionOne {
                let below = directories.first { $0.hasPrefix(hierarchy.mountPoint + "/") }
                if let below { places.append((below, hierarchy.controllers)) }
            }
        case .two, .none:
            settings = try limits.versionTwoSettings()
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
