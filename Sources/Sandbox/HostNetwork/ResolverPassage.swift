// SPDX-License-Identifier: Apache-2.0
public import Linux
import Netlink
import SandboxPlan

extension HostNetwork {
    /// Lets a resolver that is in the namespace ask others by TCP, over those interfaces of these names that are joined to taps:
    /// what is answered to ``ResolverPlan/askingPorts`` reaches the namespace, and no more the guest.
    public static func letResolverAsk(
        by names: [String], in namespace: BorrowedDescriptor
    ) throws(HostNetworkError) {
        guard !names.isEmpty else { return }
        let routes = try NamespaceDoor(namespace).routes
        for name in names {
            try about(name) { () throws(NetlinkError) in
                guard let link = try routes.link(named: name),
                    case .redirect(let tap) = try routes.entrance(of: link.index), tap != 0
                else { return }
                try routes.letAnswersPass(by: link.index, besides: tap)
            }
        }
    }
}
