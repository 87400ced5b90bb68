/// Registers of a 16550, by offset from its first port.
enum SerialRegister {}
