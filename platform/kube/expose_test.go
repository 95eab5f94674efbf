package kube

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const (
	helloGateways = "/apis/gateway.networking.k8s.io/v1/namespaces/hello/gateways"
	helloGRPC     = "/apis/gateway.networking.k8s.io/v1/namespaces/hello/grpcroutes"
)

// program plays the gateway's part for the listeners of a Gateway.
func (s *simulation) program(path string) {
	obj, _ := s.find(path)
	g := decode[gatewayv1.Gateway](s.t, obj)
	var status gatewayv1.GatewayStatus
	for _, l := range g.Spec.Listeners {
		listener := gatewayv1.ListenerStatus{Name: l.Name}
		for _, name := range []gatewayv1.ListenerConditionType{gatewayv1.ListenerConditionResolvedRefs, gatewayv1.ListenerConditionProgrammed} {
			cond := metav1.Condition{Type: string(name), Status: metav1.ConditionTrue, ObservedGeneration: g.Generation}
			if s.route != nil {
				s.route(&cond)
			}
			listener.Conditions = append(listener.Conditions, cond)
		}
		status.Listeners = append(status.Listeners, listener)
	}
	s.put(path, &gatewayv1.Gateway{Status: status})
}

func TestExposeAndTakeBack(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	require.NoError(t, c.Expose(t.Context(), fullExposure()))
	assert.Equal(t, []string{"hello", "hello-worker"}, s.names(helloServices))
	assert.Equal(t, []string{"api", "hello", "hello-https-redirect"}, s.names(helloRoutes))
	assert.Equal(t, []string{"calls"}, s.names(helloGRPC))
	assert.Equal(t, []string{"hello"}, s.names(helloGateways))
	assert.Len(t, s.names(helloSecrets), 4, "three certificates and the release's own")

	before := s.revision
	require.NoError(t, c.Expose(t.Context(), fullExposure()))
	assert.Equal(t, before, s.revision, "again: nothing was written")

	next := webDeployment(3)
	next.Exposure = fullExposure()
	require.NoError(t, c.Apply(t.Context(), next), "a deploy leaves it as it is")
	assert.Equal(t, []string{"api", "hello", "hello-https-redirect"}, s.names(helloRoutes))
	assert.Len(t, s.names(helloSecrets), 4)

	require.NoError(t, c.Expose(t.Context(), webExposure()))
	assert.Equal(t, []string{"hello"}, s.names(helloServices))
	assert.Equal(t, []string{"hello"}, s.names(helloRoutes))
	assert.Empty(t, s.names(helloGRPC))
	assert.Empty(t, s.names(helloGateways))
	assert.Equal(t, []string{"hello-web-v3-env"}, s.names(helloSecrets))
}

// A change of one domain of many sends what holds that domain, and nothing else;
// what somebody has changed in the cluster is put right.
func TestExposeSendsChangedRoutesOnly(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	many := func() control.Exposure {
		x := webExposure()
		for i := range 100 {
			name := fmt.Sprintf("d%d.example.com", i)
			x.Routes[0].Hosts = append(x.Routes[0].Hosts, name)
			x.Certs = append(x.Certs, control.Pair{Domain: name, Name: "one", Chain: []byte("chain"), Key: []byte("key")})
		}
		return x
	}
	require.NoError(t, c.Expose(t.Context(), many()))
	require.Greater(t, len(s.names(helloRoutes)), 7)
	sent := func(x control.Exposure) (paths []string) {
		s.set(func(s *apiServer) { s.requests = nil })
		require.NoError(t, c.Expose(t.Context(), x))
		for _, r := range s.requests {
			if path, ok := strings.CutPrefix(r, "PATCH "); ok && !strings.HasPrefix(path, helloServices) {
				paths = append(paths, path)
			}
		}
		return paths
	}
	assert.Empty(t, sent(many()))

	one := many()
	one.Routes[0].Hosts[50] = "another.example.com"
	paths := sent(one)
	assert.NotEmpty(t, paths)
	assert.LessOrEqual(t, len(paths), 2, "the part it was in and the part it is in")
	for _, path := range paths {
		assert.True(t, strings.HasPrefix(path, helloRoutes+"/"), path)
	}
	assert.Empty(t, sent(one))
}

// What somebody has changed in the cluster is not taken for what is wanted.
func TestSame(t *testing.T) {
	k := edgeKind[*gatewayv1.HTTPRoute]{spec: func(r *gatewayv1.HTTPRoute) any { return r.Spec }}
	route := func() *gatewayv1.HTTPRoute {
		return &gatewayv1.HTTPRoute{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "hello"}},
			Spec:       gatewayv1.HTTPRouteSpec{Hostnames: []gatewayv1.Hostname{"a.example.com", "b.example.com"}},
		}
	}
	theirs := route()
	theirs.Labels["theirs"], theirs.ResourceVersion, theirs.Status.Parents = "too", "7", []gatewayv1.RouteParentStatus{{}}
	assert.True(t, k.same(theirs, route()), "what others add is theirs")
	for name, change := range map[string]func(*gatewayv1.HTTPRoute){
		"a name less":   func(r *gatewayv1.HTTPRoute) { r.Spec.Hostnames = r.Spec.Hostnames[:1] },
		"a name more":   func(r *gatewayv1.HTTPRoute) { r.Spec.Hostnames = append(r.Spec.Hostnames, "c.example.com") },
		"another label": func(r *gatewayv1.HTTPRoute) { r.Labels["app"] = "other" },
		"being deleted": func(r *gatewayv1.HTTPRoute) { r.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} },
	} {
		now := route()
		change(now)
		assert.False(t, k.same(now, route()), name)
	}
}

// One certificate of many is renewed: the others are not even sent.
func TestExposeWritesChangedCertificatesOnly(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	require.NoError(t, c.Expose(t.Context(), fullExposure()))
	written := func(x control.Exposure) (names []string) {
		s.set(func(s *apiServer) { s.requests = nil })
		require.NoError(t, c.Expose(t.Context(), x))
		for _, r := range s.requests {
			if name, ok := strings.CutPrefix(r, "PATCH "+helloSecrets+"/"); ok {
				names = append(names, name)
			}
		}
		return names
	}
	assert.Empty(t, written(fullExposure()))

	renewed := fullExposure()
	renewed.Certs[1].Chain = []byte("renewed")
	name := "auto-" + digest("auto.example.org") + "-tls"
	assert.Equal(t, []string{name}, written(renewed))
	assert.Empty(t, written(renewed))
}

// A Secret that anybody changed is not taken for what was written.
func TestHolds(t *testing.T) {
	want := func() *corev1.Secret {
		return &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "hello"}, Annotations: map[string]string{"a": "1"}},
			Type:       corev1.SecretTypeTLS, Data: map[string][]byte{"tls.crt": []byte("chain"), "tls.key": []byte("key")},
		}
	}
	more := want()
	more.Labels["theirs"], more.ResourceVersion = "too", "7"
	assert.True(t, holds(more, want()), "what others add is theirs")
	for name, change := range map[string]func(*corev1.Secret){
		"another chain":    func(s *corev1.Secret) { s.Data["tls.crt"] = []byte("by hand") },
		"no key":           func(s *corev1.Secret) { delete(s.Data, "tls.key") },
		"more data":        func(s *corev1.Secret) { s.Data["ca.crt"] = nil },
		"another type":     func(s *corev1.Secret) { s.Type = corev1.SecretTypeOpaque },
		"no label":         func(s *corev1.Secret) { s.Labels = nil },
		"an annotation":    func(s *corev1.Secret) { s.Annotations["a"] = "2" },
		"it is going away": func(s *corev1.Secret) { s.DeletionTimestamp = &metav1.Time{} },
	} {
		now := want()
		change(now)
		assert.False(t, holds(now, want()), name)
	}
}

func TestExposePortsAndTakeBack(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	require.NoError(t, c.Expose(t.Context(), portsExposure()))
	const streams = "/apis/gateway.networking.k8s.io/v1alpha2/namespaces/hello/"
	assert.Equal(t, []string{"pg"}, s.names(streams+"tcproutes"))
	assert.Equal(t, []string{"pgs"}, s.names(streams+"tlsroutes"))
	assert.Equal(t, []string{"hello.ports"}, s.names(helloGateways))
	before := s.revision
	require.NoError(t, c.Expose(t.Context(), portsExposure()))
	assert.Equal(t, before, s.revision, "again: nothing was written")
	require.NoError(t, c.Expose(t.Context(), webExposure()))
	assert.Empty(t, s.names(streams+"tcproutes"))
	assert.Empty(t, s.names(streams+"tlsroutes"))
	assert.Empty(t, s.names(helloGateways))
}

func TestExposeSaysWhichPortIsRefused(t *testing.T) {
	for kind, says := range map[string]string{
		string(gatewayv1.ListenerConditionProgrammed): "did not take port 5432 (TCP): Nope",
		string(gatewayv1.RouteConditionAccepted):      "did not take the route ",
	} {
		s, c := newSimulation(t)
		require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
		c.patience.route = 50 * time.Millisecond
		s.route = func(cond *metav1.Condition) {
			if cond.Type == kind {
				cond.Status, cond.Reason = metav1.ConditionFalse, "Nope"
			}
		}
		assert.ErrorContains(t, c.Expose(t.Context(), portsExposure()), says)
	}
}

// Routes go before the services and secrets that they refer to.
func TestExposeRemovesInOrder(t *testing.T) {
	s, c := newSimulation(t)
	require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
	require.NoError(t, c.Expose(t.Context(), fullExposure()))
	s.set(func(s *apiServer) { s.requests = nil })
	require.NoError(t, c.Expose(t.Context(), webExposure()))
	var removed []string
	for _, r := range s.requests {
		if path, ok := strings.CutPrefix(r, "DELETE "); ok {
			removed = append(removed, path)
		}
	}
	at := func(part string) int {
		return slices.IndexFunc(removed, func(p string) bool { return strings.Contains(p, part) })
	}
	assert.Less(t, at("/httproutes/"), at("/gateways/"))
	assert.Less(t, at("/grpcroutes/"), at("/services/"))
	assert.Less(t, at("/gateways/"), at("/secrets/"))
}

func TestExposeSaysWhatTheGatewayRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		kind string
		says string
	}{
		"route":       {string(gatewayv1.RouteConditionAccepted), "did not take the route of hello.slipway.localhost: listener https: not Accepted: Nope because"},
		"certificate": {string(gatewayv1.ListenerConditionProgrammed), "did not take the certificate of *.example.com: Nope because"},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := newSimulation(t)
			require.NoError(t, c.Apply(t.Context(), webDeployment(2)))
			c.patience.route = 50 * time.Millisecond
			s.route = func(cond *metav1.Condition) {
				if cond.Type == tc.kind {
					cond.Status, cond.Reason, cond.Message = metav1.ConditionFalse, "Nope", "because"
				}
			}
			err := c.Expose(t.Context(), fullExposure())
			assert.Equal(t, platform.Invalid, platform.CodeOf(err))
			assert.ErrorContains(t, err, tc.says)
		})
	}
}

func TestExposeWhileTheClusterIsAway(t *testing.T) {
	s, c := newSimulation(t)
	for name, code := range map[string]int{"away": http.StatusServiceUnavailable, "no gateway": http.StatusNotFound} {
		s.set(func(s *apiServer) {
			s.fail = func(r *http.Request) int {
				if strings.Contains(r.URL.Path, "/httproutes") {
					return code
				}
				return 0
			}
		})
		assert.Equal(t, platform.Unavailable, platform.CodeOf(c.Expose(t.Context(), webExposure())), name)
	}
}
