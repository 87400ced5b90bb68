// SPDX-License-Identifier: Apache-2.0
/// Where an initramfs goes: as high as the kernel can reach, on a page of its own, so that what the kernel needs while
/// it starts stays together below.
struct Initramfs {
    let file: ImageFile
    let address: UInt64
    var byteCount: UInt64 { file.byteCount }
    var range: Range<UInt64> { address..<address + byteCount }

    init(_ file: ImageFile, beside kernel: KernelImage) throws(BootError) {
        let page = MachineLayout.pageByteCount
        let first = (kernel.extent.upperBound + page - 1) / page * page
        let limit = kernel.initramfsLimit / page * page
        let available = limit > first ? limit - first : 0
        guard file.byteCount <= available else {
            throw .initramfsTooBig(byteCount: file.byteCount, available: available)
        }
        self.file = file
        address = (limit - file.byteCount) / page * page
    }
}
