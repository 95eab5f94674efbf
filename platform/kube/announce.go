package kube

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	// controllerName is the Service and the slice that the chart gateway makes
	// for the API.
	controllerName = "drycc-controller"
	gitName        = "drycc-git"
	// gitClass keeps every load balancer's hands off: the addresses are ours.
	gitClass = "slipway.internal/leader"
)

// Announce leads what the gateways and nodes hand to the controller to this one:
// the API, the challenges of public authorities, and git push. Call it when this
// server begins to lead and when nodes come or go.
func (c *Cluster) Announce(ctx context.Context, nodes []Node) error {
	return translate(ctx, "Announce", errors.Join(c.announceController(ctx), c.announceGit(ctx, nodes)))
}

// announceController changes slices that name another controller. One that is
// not there yet is made with this address.
func (c *Cluster) announceController(ctx context.Context) error {
	if !c.opts.Controller.IsValid() {
		return nil
	}
	challenges, err := c.core.DiscoveryV1().EndpointSlices(metav1.NamespaceAll).List(ctx, metav1.ListOptions{
		LabelSelector: labelHeritage + "=" + heritage + "," + labelClass + "=" + classEdge + "," + discoveryv1.LabelManagedBy + "=slipway",
	})
	if err != nil {
		return err
	}
	all := challenges.Items
	api, err := c.core.DiscoveryV1().EndpointSlices(c.opts.GatewayNamespace).Get(ctx, controllerName, metav1.GetOptions{})
	if err == nil {
		all = append(all, *api)
	} else if !apierrors.IsNotFound(err) {
		return err
	}
	for _, s := range all {
		if err := c.repoint(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) repoint(ctx context.Context, s discoveryv1.EndpointSlice) error {
	address := c.opts.Controller.Addr().String()
	if len(s.Endpoints) == 1 && slices.Equal(s.Endpoints[0].Addresses, []string{address}) {
		return nil
	}
	err := mergePatch(ctx, c.core.DiscoveryV1().EndpointSlices(s.Namespace), s.Name, map[string]any{
		"endpoints": []map[string]any{{
			"addresses": []string{address}, "conditions": map[string]bool{"ready": true, "serving": true, "terminating": false},
		}},
	})
	if apierrors.IsNotFound(err) {
		return nil // its app has gone
	}
	return err
}

// announceGit makes a Service of git push whose outside addresses are those of
// all other nodes: there Kubernetes hands connections on to this one. Here they
// arrive by themselves, and tell who comes.
func (c *Cluster) announceGit(ctx context.Context, nodes []Node) error {
	if c.opts.Git.Port == 0 || !c.opts.Controller.IsValid() {
		return nil
	}
	service, slice := renderGit(c.opts)
	services := c.core.CoreV1().Services(service.Namespace)
	applied, err := apply(ctx, services, service)
	if err != nil {
		return err
	}
	if _, err := apply(ctx, c.core.DiscoveryV1().EndpointSlices(slice.Namespace), owned(slice, applied)); err != nil {
		return err
	}
	ingress := gitIngress(nodes, c.opts.Controller.Addr())
	if reflect.DeepEqual(applied.Status.LoadBalancer.Ingress, ingress) {
		return nil
	}
	return mergePatch(ctx, services, service.Name, map[string]any{
		"status": map[string]any{"loadBalancer": map[string]any{"ingress": ingress}},
	}, "status")
}

func renderGit(o Options) (*corev1.Service, *discoveryv1.EndpointSlice) {
	labels := map[string]string{"app.kubernetes.io/name": gitName, "app.kubernetes.io/part-of": "slipway"}
	meta := metav1.ObjectMeta{Name: gitName, Namespace: o.GatewayNamespace, Labels: labels}
	port := int32(o.Git.Port)
	service := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: meta,
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, LoadBalancerClass: ptr(gitClass), AllocateLoadBalancerNodePorts: ptr(false),
			ClusterIP: o.Git.ServiceIP,
			Ports:     []corev1.ServicePort{{Name: "ssh", Port: port, TargetPort: intstr.FromInt32(port), Protocol: corev1.ProtocolTCP}},
		},
	}
	meta.Labels = with(labels, discoveryv1.LabelServiceName, gitName, discoveryv1.LabelManagedBy, "slipway")
	slice := &discoveryv1.EndpointSlice{
		TypeMeta:    metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"},
		ObjectMeta:  meta,
		AddressType: addressType(o.Controller.Addr()),
		Endpoints: []discoveryv1.Endpoint{{
			Addresses: []string{o.Controller.Addr().String()}, Conditions: discoveryv1.EndpointConditions{Ready: ptr(true)},
		}},
		Ports: []discoveryv1.EndpointPort{{Name: ptr("ssh"), Port: ptr(port), Protocol: ptr(corev1.ProtocolTCP)}},
	}
	return service, slice
}

func addressType(a netip.Addr) discoveryv1.AddressType {
	if a.Is6() {
		return discoveryv1.AddressTypeIPv6
	}
	return discoveryv1.AddressTypeIPv4
}

// gitIngress are the addresses of all nodes but the controller's, of its family.
func gitIngress(nodes []Node, controller netip.Addr) []corev1.LoadBalancerIngress {
	var out []corev1.LoadBalancerIngress
	for _, n := range nodes {
		if slices.Contains(n.Internal, controller.String()) {
			continue
		}
		for _, text := range slices.Concat(n.Internal, n.External) {
			if a, err := netip.ParseAddr(text); err == nil && a.Is4() == controller.Is4() {
				out = append(out, corev1.LoadBalancerIngress{IP: text, IPMode: ptr(corev1.LoadBalancerIPModeVIP)})
			}
		}
	}
	return out
}
