import Balloon
import Block
import Net
import RateLimiter

/// What can be asked of a machine while it runs, one line each, on its control socket: `monitor.sock` in the state
/// directory of the sandbox, root's alone. A connection takes one line and is answered by one, `ok` or `error: …`.
/// No command of fc-runc gives such orders yet; `events` asks for `metrics`, which both engines' monitors answer.
///
/// - `balloon BYTES`: so much of the guest's memory is to be given back.
/// - `disk ID [bandwidth=SIZE/BURST/MS][,ops=SIZE/BURST/MS]`: the disk's limits from now on; what is not named is
///   not limited.
/// - `disk ID refresh`: the disk's file has another size.
/// - `net ID [{rx,tx}-{bandwidth,ops}=SIZE/BURST/MS,…]`: the network's limits from now on.
struct Orders {
    let devices: MachineDevices

    /// - Returns: `ok`, or `error: …`; nil of what is no order.
    func answer(_ line: String) -> String? {
        let words = line.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
        do throws(VMMError) {
            switch (words.first, words.count) {
            case ("balloon", 2): try setBalloon(words[1])
            case ("disk", 2...3): try order(disk: words[1], words.count == 3 ? words[2] : "")
            case ("net", 2...3): try limit(network: words[1], words.count == 3 ? words[2] : "")
            default: return nil
            }
            return "ok"
        } catch {
            return "error: \(error)"
        }
    }

    private func setBalloon(_ text: String) throws(VMMError) {
        guard let byteCount = FlagReader.number(text) else { throw .badValue(flag: "balloon", value: text) }
        devices.balloon.setTarget(byteCount: byteCount)
    }

    private func order(disk id: String, _ text: String) throws(VMMError) {
        guard let disk = devices.disks[id] else { throw .unknownName(id) }
        if text == "refresh" {
            do throws(BlockError) { try disk.refreshCapacity() } catch { throw .disk(id, error) }
            return
        }
        var fields = try FieldReader(flag: "disk", text)
        let limits = try fields.limits()
        try fields.finish()
        disk.update(limits)
    }

    private func limit(network id: String, _ text: String) throws(VMMError) {
        guard let network = devices.networks[id] else { throw .unknownName(id) }
        var fields = try FieldReader(flag: "net", text)
        let limits = try NetworkLimits(&fields)
        try fields.finish()
        network.update(receive: limits.receive, transmit: limits.transmit)
    }
}
