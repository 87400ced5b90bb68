// SPDX-License-Identifier: Apache-2.0
/// The I/O ports of the machine. All others read as all ones and take writes without effect, except
/// ``keyboardStatus``.
public enum Port {
    /// COM1, eight ports.
    public static let serial: UInt16 = 0x3f8
    /// How many ports COM1 has.
    public static let serialByteCount: UInt16 = 8

    /// The keyboard controller's command port, by which Linux resets the machine where ACPI did not, or not yet,
    /// tell it better: a write of ``keyboardReset``. It must read as 0 (input buffer empty): Linux waits for bit 1
    /// to clear, 130 ms before each write, ten of them.
    public static let keyboardStatus: UInt16 = 0x64
    /// The command "pulse the reset line".
    public static let keyboardReset: UInt8 = 0xfe

    /// ACPI's sleep control register, ACPI 6.4 §4.8.3.7: see `MachineLayout.isPowerOff`. One byte.
    public static let sleepControl: UInt16 = 0x600
    /// ACPI's sleep status register. One byte; reads as 0, writes have no effect.
    public static let sleepStatus: UInt16 = 0x601
    /// ACPI's reset register, ACPI 6.4 §4.8.3.6: a write of `MachineLayout.resetValue` restarts. One byte.
    public static let reset: UInt16 = 0x602
}
