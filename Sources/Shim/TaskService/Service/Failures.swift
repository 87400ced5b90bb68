// SPDX-License-Identifier: Apache-2.0
import Sandbox
import TTRPC

extension Failure {
    /// What the runtime refused, for containerd: its words are shown to people, its code is what clients decide by.
    init(_ error: RuntimeError) {
        let code: StatusCode =
            switch error.kind {
            case .notFound: .notFound
            case .alreadyExists: .alreadyExists
            case .invalidArgument: .invalidArgument
            case .failedPrecondition: .failedPrecondition
            // `deadlineExceeded` is what a verb that was cut off has.
            case .timedOut, .unavailable: .unavailable
            case .other: .unknown
            }
        self.init(code, "\(error)")
    }
}
