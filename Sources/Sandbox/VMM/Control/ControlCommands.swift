// SPDX-License-Identifier: Apache-2.0
import Virtio
import Balloon
import Block
import Linux
import Net
import ProgramArguments

/// What a machine can be told while it runs, one line each, on its control socket: `monitor.sock` in the state
/// directory of the sandbox, root's alone. A connection takes one line and is answered by one, `ok` or `error: …`.
/// `events` asks for `metrics`.
///
/// - `balloon BYTES`: so much of the guest's memory is to be given back.
/// - `disk ID [bandwidth=SIZE/BURST/MS][,ops=SIZE/BURST/MS]`: the disk's limits from now on; what is not named is
///   not limited.
/// - `disk ID refresh`: the disk's file has another size.
/// - `net ID [{rx,tx}-{bandwidth,ops}=SIZE/BURST/MS,…]`: the network's limits from now on.
/// - `net ID attach [mtu=N]`: the tap that comes beside the line is the network's.
/// - `net ID detach`: it has none any more.
///
/// In a machine that QEMU runs the balloon is QEMU's own, and its front-end does not tell the guest of a disk's size.
struct ControlCommands {
    let devices: DeviceTable

    /// - Parameter descriptor: what came beside the line; taken where the line has a use for it.
    /// - Returns: `ok`, or `error: …`; nil where the line is no command.
    func answer(_ line: String, _ descriptor: inout FileDescriptor?) -> String? {
        let words = line.split(at: " ", omittingEmptySubsequences: true).map(String.init)
        do throws(VMMError) {
            switch (words.first, words.count) {
            case ("balloon", 2): try setBalloon(words[1])
            case ("disk", 2...3): try change(disk: words[1], words.count == 3 ? words[2] : "")
            case ("net", 3...4) where words[2] == "attach":
                try attach(descriptor.take(), to: words[1], words.count == 4 ? words[3] : "")
            case ("net", 3) where words[2] == "detach": try network(words[1]).detach()
            case ("net", 2...3): try limit(network: words[1], words.count == 3 ? words[2] : "")
            default: return nil
            }
            return "ok"
        } catch {
            return "error: \(error)"
        }
    }

    private func setBalloon(_ text: String) throws(VMMError) {
        guard let byteCount = UInt64(decimal: text) else {
            throw .arguments(.badValue(flag: "balloon", value: text))
        }
        guard let balloon = devices.balloon else { throw .unknownName("balloon") }
        balloon.setTarget(byteCount: byteCount)
    }

    private func change(disk id: String, _ text: String) throws(VMMError) {
        guard let disk = devices.disks[id] else { throw .unknownName(id) }
        if text == "refresh" {
            guard devices.tellsOfChanges else { throw .notTold("disk \(id)") }
            do throws(BlockError) { try disk.refreshCapacity() } catch { throw .device("disk \(id)", .disk(error)) }
            return
        }
        disk.update(try fields(text, of: "disk"))
    }

    private func limit(network id: String, _ text: String) throws(VMMError) {
        let network = try network(id)
        let limits: NetworkLimits = try fields(text, of: "net")
        network.update(receive: limits.receive, transmit: limits.transmit)
    }

    private func network(_ id: String) throws(VMMError) -> NetDevice {
        guard let network = devices.networks[id] else { throw .unknownName(id) }
        return network
    }

    private func attach(_ tap: consuming FileDescriptor?, to id: String, _ text: String) throws(VMMError) {
        let network = try network(id)
        let given: AttachArguments = try fields(text, of: "net")
        guard let tap else { throw .noDescriptor }
        do throws(NetError) {
            try network.attach(Tap(tap), mtu: given.mtu.map { Int($0) })
        } catch {
            throw .device("network \(id)", .network(error))
        }
    }

    private func fields<Fields: ArgumentList>(_ text: String, of device: String) throws(VMMError) -> Fields {
        do throws(ArgumentError) {
            return try Fields(fields: text, of: device)
        } catch {
            throw .arguments(error)
        }
    }
}
