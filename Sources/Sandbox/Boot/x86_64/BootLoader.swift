// SPDX-License-Identifier: Apache-2.0
public import GuestMemory
public import Linux

/// What a guest's memory and first registers hold.
public enum BootLoader {
    /// Fills `memory` so that its first processor can begin at the state returned: the kernel, its initramfs and
    /// command line, the tables that describe the machine.
    ///
    /// Everything that can be wrong with the files and the request is found before the first byte is written, except
    /// that a file shrinks meanwhile. Memory must be fresh, all zeros: what is to be zero is not written.
    ///
    /// - Parameters:
    ///   - memory: must have the layout's regions, each in one piece.
    ///   - backing: the file all of whose bytes are `layout.regions` back to back (`layout.pieces(of:)`), open for
    ///     writing, if the caller has it. Files are then moved into it without passing through the mapping, which takes
    ///     a little more than half of the time. Its file offset is changed.
    ///   - processors: from 1 to `MachineLayout.maximumProcessors`, with local APIC identifiers from 0 on.
    ///   - devices: those on virtio-mmio, each in a slot of `MachineLayout.slot(_:)`.
    public static func load(
        _ source: BootSource, into memory: GuestMemory, backing: BorrowedDescriptor? = nil, layout: MachineLayout,
        processors: Int,
        devices: [DeviceSlot]
    ) throws(BootError) -> EntryState {
        try check(memory, against: layout)
        try check(processors: processors, devices: devices)
        let memoryEnd = layout.lowMemoryEnd
        let file = try ImageFile(.kernel, source.kernel)
        let kernel = try KernelImage.read(file, entry: source.entry, memoryEnd: memoryEnd)
        let commandLine = try CommandLine.bytes(of: source.commandLine, limit: kernel.commandLineLimit)
        let initramfs = try source.initramfs.map { (number) throws(BootError) in
            try Initramfs(ImageFile(.initramfs, number), beside: kernel)
        }

        let loader = Loader(memory: memory, backing: backing)
        for part in kernel.parts {
            try loader.load(file, from: part.offset, byteCount: part.byteCount, to: part.address)
        }
        if let initramfs {
            try loader.load(initramfs.file, from: 0, byteCount: initramfs.byteCount, to: initramfs.address)
        }
        try memory.put(commandLine, at: Table.commandLine)
        // A root pointer at 0 is none.
        var rsdp: UInt64 = 0
        switch source.description {
        case .acpi: rsdp = try ACPITables(processors: processors, devices: devices).write(to: memory)
        case .mpTable: try MPTable(processors: processors, devices: devices).write(to: memory)
        }
        switch kernel.start {
        case .pvh(let entry):
            let info = StartInfo(memoryMap: layout.memoryMap, initramfs: initramfs?.range, rsdp: rsdp)
            try memory.put(info.table, at: Table.startInfo)
            return .pvh(entry: entry)
        case .linux64(let entry):
            let page = ZeroPage(
                setupHeader: kernel.setupHeader, memoryMap: layout.memoryMap, initramfs: initramfs?.range, rsdp: rsdp,
                commandLineByteCount: commandLine.count - 1)
            try memory.put(page.table, at: Table.zeroPage)
            try PageTables.write(to: memory)
            try memory.put(.descriptors, at: Table.descriptors)
            return .linux64(entry: entry)
        }
    }

    private static func check(_ memory: GuestMemory, against layout: MachineLayout) throws(BootError) {
        for region in layout.regions {
            do throws(GuestMemoryError) {
                _ = try memory.slice(at: region.start, byteCount: region.byteCount)
            } catch {
                throw .missingMemory(start: region.start.rawValue, byteCount: region.byteCount)
            }
        }
    }

    private static func check(processors: Int, devices: [DeviceSlot]) throws(BootError) {
        guard (1...MachineLayout.maximumProcessors).contains(processors) else {
            throw .processorCount(processors, limit: MachineLayout.maximumProcessors)
        }
        guard devices.count <= MachineLayout.maximumDevices else {
            throw .deviceCount(devices.count, limit: MachineLayout.maximumDevices)
        }
        var free = (0..<MachineLayout.maximumDevices).compactMap { MachineLayout.slot($0) }
        for device in devices {
            guard let index = free.firstIndex(of: device) else { throw .deviceSlot(device) }
            free.remove(at: index)
        }
    }
}
