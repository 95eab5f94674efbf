package kube

import (
	"net/netip"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
func renderPolicy(a platform.App, s Surroundings) *networkingv1.NetworkPolicy {
	from := []networkingv1.NetworkPolicyPeer{{
		NamespaceSelector: &metav1.LabelSelector{
			MatchLabels: map[string]string{labelHeritage: heritage, labelWorkspace: a.Workspace},
		},
	}}
	from = append(from, outside(s.ClusterCIDRs)...)
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
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{From: from}},
		},
	}
}

// outside is all addresses but those of pods, per address family that pods
// have.
func outside(clusterCIDRs []string) []networkingv1.NetworkPolicyPeer {
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
	var peers []networkingv1.NetworkPolicyPeer
	if len(v4) > 0 {
		peers = append(peers, block("0.0.0.0/0", v4))
	}
	if len(v6) > 0 {
		peers = append(peers, block("::/0", v6))
	}
	return peers
}

func block(cidr string, except []string) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: cidr, Except: except}}
}
