// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Programs of kind BPF_PROG_TYPE_CGROUP_DEVICE, bpf(2): they decide which devices a cgroup may use.
public enum DeviceProgram {
    /// Loads `instructions`, eight bytes each, struct bpf_insn.
    public static func load(_ instructions: [UInt64]) throws(Errno) -> FileDescriptor {
        try withPath("Apache-2.0") { (license) throws(Errno) in
            let result = unsafe instructions.withUnsafeBytes { program in
                // union bpf_attr for BPF_PROG_LOAD: type and instruction count, their address, the licence's, and
                // zeroes to the length of Linux 4.15.
                var attributes = [UInt64](repeating: 0, count: 9)
                attributes[0] = 15 | UInt64(instructions.count) << 32
                attributes[1] = UInt64(UInt(bitPattern: unsafe program.argument))
                attributes[2] = UInt64(UInt(bitPattern: license))
                return call(5, &attributes)
            }
            return FileDescriptor(owning: Int32(try checked(result)))
        }
    }

    /// Attaches `program` to the open cgroup directory `cgroup`, besides those of the cgroups above it, and in
    /// the place of `replaced` where one is given.
    public static func attach(
        _ program: borrowing FileDescriptor, to cgroup: BorrowedDescriptor,
        replacing replaced: BorrowedDescriptor? = nil
    ) throws(Errno) {
        // union bpf_attr for BPF_PROG_ATTACH: target and program; type BPF_CGROUP_DEVICE and flags
        // BPF_F_ALLOW_MULTI, with BPF_F_REPLACE the program replaced.
        var attributes: [UInt64] = [
            UInt64(UInt32(bitPattern: cgroup.rawValue)) | UInt64(UInt32(bitPattern: program.rawValue)) << 32,
            6 | (replaced == nil ? 2 : 6) << 32, UInt64(UInt32(bitPattern: replaced?.rawValue ?? 0)),
        ]
        try checked(call(8, &attributes))
    }

    private static func call(_ command: Int, _ attributes: inout [UInt64]) -> Int {
        unsafe attributes.withUnsafeMutableBytes { unsafe answer(__NR_bpf, command, $0.argument, $0.count) }
    }
}
