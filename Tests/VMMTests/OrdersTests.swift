import Boot
import Glibc
import KVM
import Linux
import Testing
import Virtio

@testable import VMM

private let hasKVM = unsafe access("/dev/kvm", R_OK | W_OK) == 0

/// The devices of a machine that never runs.
private func makeDevices() throws -> MachineDevices {
    var words = ["machine", "--vcpus", "1", "--memory", "67108864"]
    for flag in ["--kernel-fd", "--console-log-fd", "--log-fd"] {
        words += [flag, String(try FileDescriptor.open("/dev/null", .readWrite).release())]
    }
    let hypervisor = try Hypervisor(FileDescriptor.open("/dev/kvm", .readWrite))
    words += ["--kvm-fd", String(try FileDescriptor.open("/dev/kvm", .readWrite).release())]
    let disk = try FileDescriptor.memory(named: "disk")
    try disk.writeAll([UInt8](repeating: 0, count: 4096))
    words += ["--disk", "fd=\(disk.release()),id=data"]
    guard case .machine(let arguments) = try Arguments(words) else { throw VMMError.mode("") }
    let memory = try MachineMemory(MachineLayout(memoryByteCount: arguments.memoryByteCount))
    let machine = try hypervisor.makeVirtualMachine()
    try machine.makeInterruptController()
    return try MachineDevices(
        arguments, memory: memory, virtualMachine: machine, loop: DeviceLoop(), ending: MachineEnding {})
}

@Suite("Orders to a machine", .enabled(if: hasKVM, "needs /dev/kvm"))
struct OrdersTests {
    @Test func whatIsUnderstood() throws {
        let orders = Orders(devices: try makeDevices())
        for line in [
            "balloon 1048576", "balloon 0", "disk data", "disk data refresh", "disk  data  ops=10/5/1000",
            "disk data bandwidth=1048576/0/100,ops=10/5/1000",
        ] { #expect(orders.answer(line) == "ok", "\(line)") }
        #expect(orders.answer("balloon 2097152") == "ok")
        #expect(orders.devices.balloon.metrics.first { $0.name == "target_bytes" }?.value == 2 << 20)
    }

    @Test(
        "what is no order",
        arguments: ["", " ", "metrics", "balloon", "balloon 1 2", "Balloon 1", "disk", "disk data refresh now", "net"])
    func whatIsNone(_ line: String) throws {
        #expect(Orders(devices: try makeDevices()).answer(line) == nil)
    }

    @Test(
        "orders that cannot be carried out",
        arguments: [
            "balloon -1", "balloon x", "balloon 18446744073709551616", "disk none", "disk none refresh",
            "disk data ops=1", "disk data ops=0/0/1", "disk data speed=1/1/1", "disk data ops=1/1/1,ops=1/1/1",
            "net eth0", "net eth0 tx-ops=1/1/1",
        ])
    func whatFails(_ line: String) throws {
        let answer = Orders(devices: try makeDevices()).answer(line)
        #expect(answer?.hasPrefix("error: ") == true, "\(answer ?? "nothing")")
    }
}
