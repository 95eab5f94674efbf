package kube

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
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

// renderService names the port of the container instead of giving its number:
// while a release that changes PORT rolls out, old and new pods each get their
// requests where they listen.
func renderService(d control.Deployment, p control.Process) *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: objectMeta(d, p, serviceName(d.App.ID, p.Ptype)),
		Spec: corev1.ServiceSpec{
			Type:     corev1.ServiceTypeClusterIP,
			Selector: selectorLabels(d.App.ID, p.Ptype),
			Ports: []corev1.ServicePort{{
				Name: servicePortName, Port: servicePort, Protocol: corev1.ProtocolTCP,
				TargetPort: intstr.FromString(portName),
			}},
		},
	}
}

// renderRoute attaches the host name to both listeners of the one gateway.
func renderRoute(d control.Deployment, p control.Process, s Surroundings) *gatewayv1.HTTPRoute {
	parent := func(section gatewayv1.SectionName) gatewayv1.ParentReference {
		return gatewayv1.ParentReference{
			Group:       ptr(gatewayv1.Group(gatewayv1.GroupName)),
			Kind:        ptr(gatewayv1.Kind("Gateway")),
			Namespace:   ptr(gatewayv1.Namespace(s.GatewayNamespace)),
			Name:        gatewayv1.ObjectName(s.GatewayName),
			SectionName: &section,
		}
	}
	return &gatewayv1.HTTPRoute{
		TypeMeta:   metav1.TypeMeta{APIVersion: gatewayv1.GroupVersion.String(), Kind: "HTTPRoute"},
		ObjectMeta: objectMeta(d, p, serviceName(d.App.ID, p.Ptype)),
		Spec: gatewayv1.HTTPRouteSpec{
			CommonRouteSpec: gatewayv1.CommonRouteSpec{
				ParentRefs: []gatewayv1.ParentReference{parent("http"), parent("https")},
			},
			Hostnames: []gatewayv1.Hostname{gatewayv1.Hostname(d.Host)},
			Rules: []gatewayv1.HTTPRouteRule{{
				Matches: []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{
					Type: ptr(gatewayv1.PathMatchPathPrefix), Value: ptr("/"),
				}}},
				BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: gatewayv1.BackendRef{
					BackendObjectReference: gatewayv1.BackendObjectReference{
						Group: ptr(gatewayv1.Group("")), Kind: ptr(gatewayv1.Kind("Service")),
						Name: gatewayv1.ObjectName(serviceName(d.App.ID, p.Ptype)),
						Port: ptr(gatewayv1.PortNumber(servicePort)),
					},
					Weight: ptr(int32(1)),
				}}},
			}},
		},
	}
}
