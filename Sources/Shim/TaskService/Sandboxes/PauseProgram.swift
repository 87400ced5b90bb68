// SPDX-License-Identifier: Apache-2.0
/// The program of a sandbox that was given none: it keeps the sandbox alive, and reaps its orphans.
///
/// An ELF executable of our own, for x86-64, put together by hand: it asks the kernel to forget children that end
/// (SIGCHLD ignored, which reaps them), waits for SIGINT or SIGTERM, and exits with 0.
enum PauseProgram {
    static let loadAddress: UInt64 = 0x40_0000
    private static let headerByteCount: UInt64 = 64 + 56

    private static let code: [UInt8] = [
        0xB8, 0x0D, 0x00, 0x00, 0x00,  // mov eax, 13 (rt_sigaction)
        0xBF, 0x11, 0x00, 0x00, 0x00,  // mov edi, 17 (SIGCHLD)
        0x48, 0x8D, 0x35, 0x37, 0x00, 0x00, 0x00,  // lea rsi, [action]
        0x31, 0xD2,  // xor edx, edx
        0x41, 0xBA, 0x08, 0x00, 0x00, 0x00,  // mov r10d, 8: bytes of a set of signals
        0x0F, 0x05,  // syscall
        0xB8, 0x0E, 0x00, 0x00, 0x00,  // mov eax, 14 (rt_sigprocmask)
        0x31, 0xFF,  // xor edi, edi (SIG_BLOCK)
        0x48, 0x8D, 0x35, 0x3F, 0x00, 0x00, 0x00,  // lea rsi, [set]
        0x0F, 0x05,  // syscall
        // wait:
        0xB8, 0x80, 0x00, 0x00, 0x00,  // mov eax, 128 (rt_sigtimedwait)
        0x48, 0x8D, 0x3D, 0x31, 0x00, 0x00, 0x00,  // lea rdi, [set]
        0x31, 0xF6,  // xor esi, esi
        0x0F, 0x05,  // syscall
        0x85, 0xC0,  // test eax, eax
        0x78, 0xEC,  // js wait
        0xB8, 0x3C, 0x00, 0x00, 0x00,  // mov eax, 60 (exit)
        0x31, 0xFF,  // xor edi, edi
        0x0F, 0x05,  // syscall
        // action: SIG_IGN, no flags, no restorer, an empty mask
        0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        // set: SIGINT, SIGTERM
        0x02, 0x40, 0, 0, 0, 0, 0, 0,
    ]

    /// The file, whole.
    static var image: [UInt8] {
        let byteCount = headerByteCount + UInt64(code.count)
        var image: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        func add(_ value: UInt64, _ byteCount: Int) {
            for index in 0..<byteCount { image.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
        }
        add(2, 2)  // e_type: ET_EXEC
        add(62, 2)  // e_machine: EM_X86_64
        add(1, 4)  // e_version
        add(loadAddress + headerByteCount, 8)  // e_entry
        add(64, 8)  // e_phoff
        add(0, 8)  // e_shoff
        add(0, 4)  // e_flags
        add(64, 2)  // e_ehsize
        add(56, 2)  // e_phentsize
        add(1, 2)  // e_phnum
        add(0, 2)  // e_shentsize
        add(0, 2)  // e_shnum
        add(0, 2)  // e_shstrndx
        add(1, 4)  // p_type: PT_LOAD
        add(5, 4)  // p_flags: readable, executable
        add(0, 8)  // p_offset
        add(loadAddress, 8)  // p_vaddr
        add(loadAddress, 8)  // p_paddr
        add(byteCount, 8)  // p_filesz
        add(byteCount, 8)  // p_memsz
        add(0x1000, 8)  // p_align
        return image + code
    }
}
