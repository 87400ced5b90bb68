// SPDX-License-Identifier: Apache-2.0
/// What runs a guest until it wants something: a ``VCPU``, or a script in a test.
public protocol VirtualProcessor: AnyObject {
    /// Gives back the answer to the exit before, then runs the guest until the next exit.
    func run() throws(KVMError) -> VCPUExit

    /// The data of the exit just returned. Set after `.portRead` or `.memoryRead`, it is what the guest reads, every
    /// element of a string the same; what is not set reads as 0.
    var answer: UInt64 { get set }

    /// Element `index`, below its count, of the exit of a port just returned: 0 beyond.
    func element(_ index: UInt32) -> UInt32

    /// Answers a string's element `index`, below its count, on its own. Nothing happens beyond.
    func setElement(_ index: UInt32, _ value: UInt32)
}
