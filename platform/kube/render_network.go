package kube

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/slipway-paas/slipway/platform"
)

// renderPolicy keeps workspaces apart. Pods take connections from
//
//   - pods in namespaces of the same workspace;
//   - everything that is no pod. The gateway runs on the network of its node,
//     so its requests come from node addresses, which are private ones on most
//     networks: admitting public addresses only would shut it out. A pod's
//     address is always within the pod networks, so excepting these is what
//     isolates;
//   - the first address of each node's pod subnet. It belongs to no pod but to
//     the node's end of the overlay, and is what a gateway on another node
//     comes from when the overlay is VXLAN.
//
// The node that a pod runs on, its kubelet's probes included, always reaches
// it: the policy controller lets local traffic through.
//
// Pods connect to
//
//   - pods in namespaces of the same workspace;
//   - the cluster's name server;
//   - everything that is no pod and no node, apart from link-local addresses,
//     where clouds hand out the credentials of machines;
//   - the public ports of nodes, which is the way to other workspaces' apps.
//     The Kubernetes API, the kubelet and the controller are not among them.
func renderPolicy(a platform.App, s Surroundings) *networkingv1.NetworkPolicy {
	from := []networkingv1.NetworkPolicyPeer{neighbours(a)}
	from = append(from, outside(s.ClusterCIDRs, nil)...)
	for _, subnet := range s.NodeSubnets {
		if p, err := netip.ParsePrefix(subnet); err == nil {
			first := p.Masked().Addr()
			from = append(from, block(netip.PrefixFrom(first, first.BitLen()).String(), nil))
		}
	}
	return &networkingv1.NetworkPolicy{
		TypeMeta: metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"},
		ObjectMeta: metav1.ObjectMeta{
			Name: a.ID, Namespace: a.ID, Labels: appLabels(a), Annotations: appAnnotations(a),
		},
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{From: from}},
			Egress:      egress(a, s),
		},
	}
}

// neighbours are the pods of the same workspace.
func neighbours(a platform.App) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{NamespaceSelector: &metav1.LabelSelector{
		MatchLabels: map[string]string{labelHeritage: heritage, labelWorkspace: a.Workspace},
	}}
}

func egress(a platform.App, s Surroundings) []networkingv1.NetworkPolicyEgressRule {
	nodes := hosts(s)
	names := networkingv1.NetworkPolicyPeer{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: metav1.NamespaceSystem}},
		PodSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{"k8s-app": "kube-dns"}},
	}
	rules := []networkingv1.NetworkPolicyEgressRule{
		{To: append([]networkingv1.NetworkPolicyPeer{neighbours(a)}, outside(s.ClusterCIDRs, append(nodes, linkLocal()...))...)},
		{To: []networkingv1.NetworkPolicyPeer{names}}, // on whatever ports it listens behind its Service
	}
	if len(nodes) == 0 || len(s.PublicPorts) == 0 {
		return rules
	}
	public := networkingv1.NetworkPolicyEgressRule{}
	for _, n := range nodes {
		public.To = append(public.To, block(n.String(), nil))
	}
	for _, port := range s.PublicPorts {
		public.Ports = append(public.Ports, policyPort(corev1.ProtocolTCP, port))
	}
	return append(rules, public)
}

func policyPort(protocol corev1.Protocol, port int) networkingv1.NetworkPolicyPort {
	return networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: ptr(intstr.FromInt(port))}
}

func linkLocal() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fe80::/10")}
}

// hosts are the addresses of nodes, of the families that pods have, each as a
// block of one, in order. Those within the pods' networks are not reachable as
// it is.
func hosts(s Surroundings) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range s.NodeAddresses {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			continue
		}
		addr = addr.Unmap().WithZone("")
		known := slices.ContainsFunc(s.ClusterCIDRs, func(cidr string) bool {
			p, err := netip.ParsePrefix(cidr)
			return err == nil && p.Addr().Is4() == addr.Is4()
		})
		if !known || addr.IsLoopback() || addr.IsLinkLocalUnicast() || within(addr, s.ClusterCIDRs) {
			continue
		}
		out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
	}
	slices.SortFunc(out, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	return slices.Compact(out)
}

func within(addr netip.Addr, cidrs []string) bool {
	return slices.ContainsFunc(cidrs, func(cidr string) bool {
		p, err := netip.ParsePrefix(cidr)
		return err == nil && p.Contains(addr)
	})
}

// outside is all addresses but those of pods and of others, per address family
// that pods have.
func outside(clusterCIDRs []string, others []netip.Prefix) []networkingv1.NetworkPolicyPeer {
	var v4, v6 []string
	for _, cidr := range clusterCIDRs {
		p, err := netip.ParsePrefix(cidr)
		switch {
		case err != nil:
		case p.Addr().Is4():
			v4 = append(v4, p.Masked().String())
		default:
			v6 = append(v6, p.Masked().String())
		}
	}
	has4, has6 := len(v4) > 0, len(v6) > 0
	for _, p := range others {
		if p.Addr().Is4() {
			v4 = append(v4, p.String())
		} else {
			v6 = append(v6, p.String())
		}
	}
	var peers []networkingv1.NetworkPolicyPeer
	if has4 {
		peers = append(peers, block("0.0.0.0/0", v4))
	}
	if has6 {
		peers = append(peers, block("::/0", v6))
	}
	return peers
}

func block(cidr string, except []string) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: cidr, Except: except}}
}
