package kube

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

const (
	canaryName = "drycc-canary"
	// gatewayWorkload is the DaemonSet that the chart gateway makes.
	gatewayWorkload = "traefik"
	// askEvery is how often the gateway is asked for the canary; it tells
	// nobody when it has caught up.
	askEvery = 250 * time.Millisecond
)

// Canary is a route of the platform's own by which the gateway shows whether
// it knows of the latest endpoints.
type Canary struct {
	Host    string // a name no app can have: "canary.drycc.slipway.localhost"
	Address string // of something that answers Ask with a success
	Port    int
	// Ask asks the gateway for Host and reports whether the backend answered;
	// an error means that the gateway could not be asked.
	Ask func(ctx context.Context) (served bool, err error)
}

// SyncGateway returns when the gateway follows the cluster. After the API
// server was away the gateway's watches come back only after a pause that
// grows with the absence, and a rollout before that would leave it sending
// requests to pods that are gone. The canary's one endpoint is turned on or
// off, whichever it is not, until the gateway's answer shows it.
func (c *Cluster) SyncGateway(ctx context.Context, y Canary) error {
	want, err := c.turnCanary(ctx, y)
	if err != nil {
		return fmt.Errorf("gateway canary: %w", err)
	}
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	var last error
	for {
		served, err := y.Ask(ctx)
		if err == nil && served == want {
			return nil
		}
		if last = err; err == nil {
			last = fmt.Errorf("the gateway still shows the endpoint as it was before")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("gateway canary: %w: %w", ctx.Err(), last)
		case <-tick.C:
		}
	}
}

// RestartGateway replaces the gateway's pods one by one; it serves meanwhile.
// A new one knows the cluster as it is.
func (c *Cluster) RestartGateway(ctx context.Context) error {
	change := map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{
		"annotations": map[string]string{annotationRestarted: c.now().UTC().Format(time.RFC3339)},
	}}}}
	if err := mergePatch(ctx, c.core.AppsV1().DaemonSets(c.opts.GatewayNamespace), gatewayWorkload, change); err != nil {
		return fmt.Errorf("gateway restart: %w", err)
	}
	return nil
}

// turnCanary makes the canary's objects and flips its endpoint.
func (c *Cluster) turnCanary(ctx context.Context, y Canary) (ready bool, err error) {
	namespace := c.opts.GatewayNamespace
	slices := c.core.DiscoveryV1().EndpointSlices(namespace)
	ready = true
	current, err := slices.Get(ctx, canaryName, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return false, err
	case len(current.Endpoints) == 1 && current.Endpoints[0].Conditions.Ready != nil:
		ready = !*current.Endpoints[0].Conditions.Ready
	}
	if _, err = apply(ctx, c.core.CoreV1().Services(namespace), canaryService(namespace, y)); err != nil {
		return false, err
	}
	if _, err = apply(ctx, c.gateway.HTTPRoutes(namespace), c.canaryRoute(y)); err != nil {
		return false, err
	}
	_, err = apply(ctx, slices, canarySlice(namespace, y, ready))
	return ready, err
}

func canaryMeta(namespace string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: canaryName, Namespace: namespace, Labels: map[string]string{
		"app.kubernetes.io/part-of": "slipway", "app.kubernetes.io/component": "gateway-canary",
	}}
}

func canaryService(namespace string, y Canary) *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: canaryMeta(namespace),
		Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{
			Name: "http", Port: int32(y.Port), Protocol: corev1.ProtocolTCP,
		}}},
	}
}

func canarySlice(namespace string, y Canary, ready bool) *discoveryv1.EndpointSlice {
	meta := canaryMeta(namespace)
	meta.Labels[discoveryv1.LabelServiceName] = canaryName
	meta.Labels[discoveryv1.LabelManagedBy] = "slipway"
	return &discoveryv1.EndpointSlice{
		TypeMeta:    metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"},
		ObjectMeta:  meta,
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints: []discoveryv1.Endpoint{{
			Addresses: []string{y.Address}, Conditions: discoveryv1.EndpointConditions{Ready: ptr(ready)},
		}},
		Ports: []discoveryv1.EndpointPort{{Name: ptr("http"), Port: ptr(int32(y.Port)), Protocol: ptr(corev1.ProtocolTCP)}},
	}
}

func (c *Cluster) canaryRoute(y Canary) *gatewayv1.HTTPRoute {
	return &gatewayv1.HTTPRoute{
		TypeMeta:   metav1.TypeMeta{APIVersion: gatewayv1.GroupVersion.String(), Kind: "HTTPRoute"},
		ObjectMeta: canaryMeta(c.opts.GatewayNamespace),
		Spec: gatewayv1.HTTPRouteSpec{
			CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{
				Name: gatewayv1.ObjectName(c.opts.GatewayName), SectionName: ptr(gatewayv1.SectionName("http")),
			}}},
			Hostnames: []gatewayv1.Hostname{gatewayv1.Hostname(y.Host)},
			Rules: []gatewayv1.HTTPRouteRule{{
				BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: gatewayv1.BackendRef{
					BackendObjectReference: gatewayv1.BackendObjectReference{
						Name: canaryName, Port: ptr(gatewayv1.PortNumber(y.Port)),
					},
				}}},
			}},
		},
	}
}
