// SPDX-License-Identifier: Apache-2.0
import Virtio

/// What a monitor can tell of itself, as one line of JSON.
final class MetricsReport: Sendable {
    /// A part of the report, under a name of its own.
    struct Section: Sendable {
        var name: String
        var metrics: @Sendable () -> [Metric]

        init(name: String, metrics: @escaping @Sendable () -> [Metric]) {
            self.name = name
            self.metrics = metrics
        }

        /// The figures of all of `sources`, in order.
        init(name: String, of sources: [any Metered]) {
            self.init(name: name) { sources.flatMap(\.metrics) }
        }
    }

    private let timeline: BootTimeline
    private let sections: [Section]

    init(timeline: BootTimeline, sections: [Section]) {
        self.timeline = timeline
        self.sections = sections
    }

    /// `{"boot":[{"stage":…,"wall_us":…,"cpu_us":…},…],"vcpu0":{…},"vsock":{…},…}`. Names are ours: nothing in them
    /// is to be escaped.
    var json: String {
        let stages = timeline.all.map {
            "{\"stage\":\"\($0.stage)\",\"wall_us\":\($0.wall),\"cpu_us\":\($0.processor)}"
        }
        let parts = sections.map { section in
            let figures = section.metrics().map { "\"\($0.name)\":\($0.value)" }
            return "\"\(section.name)\":{\(figures.joined(separator: ","))}"
        }
        return "{" + (["\"boot\":[\(stages.joined(separator: ","))]"] + parts).joined(separator: ",") + "}"
    }
}
