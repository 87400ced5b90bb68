// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import SandboxPlan
import Synchronization
import Virtio

extension CachePolicy {
    /// Seconds that names and attributes hold.
    var seconds: UInt64 {
        switch self {
        case .auto: 1
        case .always: 86400
        case .none: 0
        }
    }
}

/// What goes wrong before the first request.
public enum FileSystemError: Error, Equatable {
    /// The tree cannot be served.
    case tree(operation: String, Errno)
    /// /proc is not there, by which opened places are reached.
    case proc(operation: String, Errno)
    /// A worker could not be started.
    case worker(operation: String, Errno)
    /// A tag that is not 1 to 36 bytes, or has a NUL.
    case tag(String)
}

extension FileSystemError: CustomStringConvertible {
    /// For messages, in English.
    public var description: String {
        switch self {
        case .tree(let operation, let errno): "shared tree: \(operation): \(errno)"
        case .proc(let operation, let errno): "\(operation): \(errno)"
        case .worker(let operation, let errno): "worker: \(operation): \(errno)"
        case .tag(let tag): "tag \"\(tag)\": not 1 to 36 bytes"
        }
    }
}

/// The FUSE server: one directory tree of the host, served request by request. Knows nothing of queues; any
/// number of threads call ``serve(_:on:)``, each with an exchange of its own.
///
/// The host trusts the guest with the tree and with nothing else: every name is one component, no symbolic
/// link is followed, no file but regular ones and directories is ever opened.
final class FileServer: Sendable {
    /// The largest READ and WRITE, and what FUSE_INIT tells of it.
    static let transferLimit: UInt32 = 1 << 20

    let inodes: InodeTable
    let handles: HandleTable
    /// The directory /proc/self/fd.
    let descriptors: FileDescriptor
    let isReadOnly: Bool
    let cache: CachePolicy
    /// The flags of FUSE_INIT that both sides agreed on.
    let agreed = Atomic<UInt64>(0)

    /// - Parameter root: the tree, opened with O_PATH or for reading.
    /// - Parameter descriptorLimit: how many descriptors the process may have open.
    /// - Parameter inodeLimit: how many inodes the guest may know.
    init(
        root: consuming FileDescriptor, isReadOnly: Bool, cache: CachePolicy, descriptorLimit: Int,
        inodeLimit: Int = InodeTable.defaultLimit
    ) throws(FileSystemError) {
        self.isReadOnly = isReadOnly
        self.cache = cache
        // A few stay for sockets, queues and what a request opens for itself.
        let count = max(descriptorLimit - 64, 32)
        handles = HandleTable()
        do {
            inodes = try InodeTable(root: root, limit: inodeLimit, descriptorLimit: count)
        } catch {
            throw .tree(operation: "statx", error)
        }
        do {
            descriptors = try FileDescriptor.open("/proc/self/fd", [.path, .directory])
        } catch {
            throw .proc(operation: "open /proc/self/fd", error)
        }
    }

    deinit {
        // An open file and its inode hold one another.
        endSession()
    }

    func isAgreed(_ capability: Capability) -> Bool {
        agreed.load(ordering: .relaxed) & capability.rawValue != 0
    }

    /// Serves one request.
    ///
    /// - Returns: the bytes written to the guest; 0 where the request has no answer, or no room for it.
    func serve(_ chain: DescriptorChain, on exchange: Exchange) -> UInt32 {
        do throws(Errno) {
            guard try exchange.begin(chain) else { return 0 }
            guard let opcode = Opcode(rawValue: exchange.opcode) else { throw .noSystemCall }
            if isReadOnly && opcode.changesTree { throw .readOnlyFileSystem }
            if opcode.takesLong { exchange.beforeWaiting() }
            switch opcode {
            case .forget, .batchForget:
                try forget(opcode, exchange)
                return 0
            case .interrupt:
                // Requests are short or cannot be stopped; Linux does not mind an interrupt unheard.
                return 0
            default:
                try perform(opcode, exchange)
                return exchange.finish(nil)
            }
        } catch {
            return exchange.hasAnswer ? exchange.finish(error) : 0
        }
    }

    private func perform(_ opcode: Opcode, _ exchange: Exchange) throws(Errno) {
        switch opcode {
        case .initialize: try initialize(exchange)
        case .destroy: endSession()
        case .lookup: try lookup(exchange)
        case .getAttributes: try getAttributes(exchange)
        case .setAttributes: try setAttributes(exchange)
        case .access: try access(exchange)
        case .readLink: try readLink(exchange)
        case .symlink: try symlink(exchange)
        case .makeNode: try makeNode(exchange)
        case .makeDirectory: try makeDirectory(exchange)
        case .unlink: try remove(exchange, flags: 0)
        case .removeDirectory: try remove(exchange, flags: CL_AT_REMOVEDIR)
        case .rename: try rename(exchange, hasFlags: false)
        case .rename2: try rename(exchange, hasFlags: true)
        case .link: try link(exchange)
        case .open: try open(exchange)
        case .create: try create(exchange)
        case .temporaryFile: try temporaryFile(exchange)
        case .read: try read(exchange)
        case .write: try write(exchange)
        case .flush: try flush(exchange)
        case .release: try release(exchange, isDirectory: false)
        case .sync: try sync(exchange, isDirectory: false)
        case .openDirectory: try openDirectory(exchange)
        case .readDirectory: try readDirectory(exchange, plus: false)
        case .readDirectoryPlus: try readDirectory(exchange, plus: true)
        case .releaseDirectory: try release(exchange, isDirectory: true)
        case .syncDirectory: try sync(exchange, isDirectory: true)
        case .setExtendedAttribute: try setExtendedAttribute(exchange)
        case .getExtendedAttribute: try getExtendedAttribute(exchange)
        case .listExtendedAttributes: try listExtendedAttributes(exchange)
        case .removeExtendedAttribute: try removeExtendedAttribute(exchange)
        case .control: try control(exchange)
        case .fileSystemStatus: try fileSystemStatus(exchange)
        case .syncFileSystem: try syncFileSystem(exchange)
        case .allocate: try allocate(exchange)
        case .seek: try seek(exchange)
        case .copyRange: try copyRange(exchange)
        case .forget, .batchForget, .interrupt: break
        }
    }
}
