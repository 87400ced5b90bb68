// SPDX-License-Identifier: Apache-2.0
import Engine

/// The engine that will run a machine.
struct SelectedEngine {
    let kind: EngineKind
    let engine: any Engine
}

extension Runtime {
    /// The engine asked for, or the one that can boot Linux here; which and why goes to the log in one line.
    func chooseEngine() throws(RuntimeError) -> SelectedEngine {
        let choice = try wrapping(RuntimeError.engine, EngineChoice.make(options.engine, hardware: .probe()))
        log(.debug, choice.reason)
        return SelectedEngine(kind: choice.way.kind, engine: engine(choice.way))
    }

    private func engine(_ way: EngineChoice.Way) -> any Engine {
        let monitor = options.parts.program("fc-vmm")
        return switch way {
        case .kvm: KVMEngine(monitor: monitor)
        case .qemu(let accelerator):
            QEMUEngine(
                installation: QEMUInstallation(executable: options.parts.qemu), accelerator: accelerator,
                monitor: monitor)
        }
    }
}
