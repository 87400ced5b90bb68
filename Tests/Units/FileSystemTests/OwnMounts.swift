// SPDX-License-Identifier: Apache-2.0
import CLinux
@testable import FileSystem
import Glibc
import Linux

/// Runs `body` in a thread with mounts of its own, and rethrows. They go with the thread.
func inOwnNamespace(_ body: @escaping @Sendable () throws -> Void) throws {
    let failure = Failure()
    let thread = try Joiner {
        do {
            try Process.unshare(.mount)
            try withPath("/") { (root) throws(Errno) in
                // MS_REC | MS_PRIVATE
                _ = try syscall(__NR_mount, 0, root, 0, 0x4000 | 0x40000, 0)
            }
            try body()
        } catch { failure.error = error }
    }
    thread.join()
    if let error = failure.error { throw error }
}

private final class Failure: @unchecked Sendable {
    // @unchecked: written before the join, read after it.
    var error: (any Error)?
}

func mount(_ type: String, on target: String, options: String = "") throws {
    try withPath(type) { (type) throws(Errno) in
        try withPath(target) { (target) throws(Errno) in
            try withPath(options) { (options) throws(Errno) in
                _ = try syscall(__NR_mount, type, target, type, 0, options)
            }
        }
    }
}

/// Where a shared tree lies: what the host's file system makes of inode numbers and birth times.
enum TreePlace: String, CaseIterable, Sendable {
    case directory
    /// Layers on one file system, as docker, podman and containerd have them.
    case overlay
    case overlayWithIndex
    case overlayWithRedirects
    case overlayWithMetacopy
    /// Files have device numbers of their layers, or, with `xino`, numbers of their own.
    case overlayOfTwoFileSystems
    case overlayWithExtendedNumbers
    /// The lower layer has no file handles, so that nothing keeps a copied file's number.
    case overlayOnOverlay

    private var options: String {
        switch self {
        case .directory: ""
        case .overlay, .overlayOnOverlay: "index=off"
        case .overlayWithIndex: "index=on"
        case .overlayWithRedirects: "index=off,redirect_dir=on"
        case .overlayWithMetacopy: "index=off,metacopy=on"
        case .overlayOfTwoFileSystems: "index=off,xino=off"
        case .overlayWithExtendedNumbers: "index=off,xino=on"
        }
    }

    var isOverlay: Bool { self != .directory }

    /// Calls `body` with a tree that holds what `prepare` put into it, on an overlay in its lower layer.
    func withTree(
        _ prepare: @escaping @Sendable (TemporaryTree) throws -> Void = { _ in },
        _ body: @escaping @Sendable (TemporaryTree) throws -> Void
    ) throws {
        guard isOverlay else {
            let tree = try TemporaryTree()
            try prepare(tree)
            return try body(tree)
        }
        let base = try TemporaryTree()
        try inOwnNamespace {
            try mount("tmpfs", on: base.path)
            for name in ["lower", "layers", "merged", "middle", "middle-up", "middle-work"] {
                try base.directory(name)
            }
            try prepare(TemporaryTree(borrowing: base.at("lower")))
            if self == .overlayOfTwoFileSystems || self == .overlayWithExtendedNumbers {
                try mount("tmpfs", on: base.at("layers"))
            }
            for name in ["layers/up", "layers/work"] { try base.directory(name) }
            var lower = base.at("lower")
            if self == .overlayOnOverlay {
                lower = base.at("middle")
                try mount(
                    "overlay", on: lower,
                    options: "lowerdir=\(base.at("lower")),upperdir=\(base.at("middle-up")),"
                        + "workdir=\(base.at("middle-work"))")
            }
            try mount(
                "overlay", on: base.at("merged"),
                options: "lowerdir=\(lower),upperdir=\(base.at("layers/up")),workdir=\(base.at("layers/work")),"
                    + self.options)
            try body(TemporaryTree(borrowing: base.at("merged")))
        }
    }
}
