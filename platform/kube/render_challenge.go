package kube

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// challengePort is of the Service that stands for the controller.
const challengePort = 80

// challengeName is no name of an app's service, which begins with the app's
// own, and no name of a user's route.
func challengeName(app string) string { return "acme-" + digest("challenges of "+app) }

// renderChallenges leads the path where public authorities ask domains back to
// the controller: on the plain port only, also while everything else there is
// redirected, and whether or not the app is routed. Backend is a Service of
// the app's namespace with the controller's address, so that no namespace
// needs a grant of another. The gateway prefers the longer path.
func renderChallenges(x control.Exposure, s Surroundings) (*corev1.Service, *discoveryv1.EndpointSlice, []control.ExposedRoute) {
	if len(x.Challenges) == 0 || !s.Controller.IsValid() {
		return nil, nil, nil
	}
	name := challengeName(x.App.ID)
	service := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: edgeMeta(x.App, name),
		Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, Ports: []corev1.ServicePort{{
			Name: "http", Port: challengePort, Protocol: corev1.ProtocolTCP,
		}}},
	}
	slice := &discoveryv1.EndpointSlice{
		TypeMeta: metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"},
		ObjectMeta: edgeMeta(x.App, name,
			discoveryv1.LabelServiceName, name, discoveryv1.LabelManagedBy, "slipway"),
		AddressType: addressType(s.Controller.Addr()),
		Endpoints: []discoveryv1.Endpoint{{
			Addresses: []string{s.Controller.Addr().String()}, Conditions: discoveryv1.EndpointConditions{Ready: ptr(true)},
		}},
		Ports: []discoveryv1.EndpointPort{{
			Name: ptr("http"), Port: ptr(int32(s.Controller.Port())), Protocol: ptr(corev1.ProtocolTCP),
		}},
	}
	route := control.ExposedRoute{
		Name: name, Kind: platform.HTTPRoute, Hosts: x.Challenges, HTTP: true,
		Rules: []platform.RouteRule{{
			Matches:  []platform.RouteMatch{{Path: &platform.ValueMatch{Type: string(gatewayv1.PathMatchPathPrefix), Value: control.ChallengePath}}},
			Backends: []platform.Backend{{Service: name, Port: challengePort}},
		}},
	}
	return service, slice, []control.ExposedRoute{route}
}

// owned ties a slice to its Service: with that it goes.
func owned(slice *discoveryv1.EndpointSlice, by *corev1.Service) *discoveryv1.EndpointSlice {
	slice = slice.DeepCopy()
	slice.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Service", Name: by.Name, UID: by.UID}}
	return slice
}
