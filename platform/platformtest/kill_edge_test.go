package platformtest_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/platformtest"
)

// upload is a certificate for the names.
func upload(t *testing.T, names ...string) control.NewCert {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return control.NewCert{
		Name:        "cert",
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		Key:         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})),
	}
}

// recorded makes a step's done of a look at the app's records.
func recorded(look func(e control.Edge) bool) func(h *house) bool {
	return func(h *house) bool {
		e, err := h.store.FindEdge(h.t.Context(), app)
		require.NoError(h.t, err)
		return look(e)
	}
}

func edgeStory(t *testing.T) []step {
	cert := upload(t, "www.example.com")
	domain := func(name, ptype string, count int) step {
		return step{"domain " + name, func(ctx context.Context, h *house) error {
			_, err := h.core.AddDomain(ctx, h.actor, app, name, ptype)
			return err
		}, recorded(func(e control.Edge) bool { return len(e.Domains) >= count })}
	}
	return append(story()[:2],
		domain("www.example.com", "web", 1),
		domain("gone.example.com", "web", 2),
		domain("work.example.com", "worker", 3),
		step{"certificate", func(ctx context.Context, h *house) error {
			_, err := h.core.AddCert(ctx, h.actor, app, cert)
			return err
		}, func(h *house) bool {
			_, n, err := h.store.ListCerts(h.t.Context(), control.CertFilter{App: app, OfApp: true}, control.Page{})
			require.NoError(h.t, err)
			return n == 1
		}},
		step{"attach", func(ctx context.Context, h *house) error {
			return h.core.AttachCert(ctx, h.actor, app, "cert", "www.example.com")
		}, recorded(func(e control.Edge) bool { return e.Domains[len(e.Domains)-1].CertID != 0 })},
		step{"service", func(ctx context.Context, h *house) error {
			_, err := h.core.AddServicePort(ctx, h.actor, app, "worker", platform.ServicePort{Port: 8001, Protocol: "TCP", Target: 8001})
			return err
		}, recorded(func(e control.Edge) bool { return len(e.Services) == 1 })},
		step{"gateway", func(ctx context.Context, h *house) error {
			_, _, err := h.core.SaveGateway(ctx, h.actor, app, "front", []platform.GatewayPort{{Port: 80, Protocol: "HTTP"}})
			return err
		}, recorded(func(e control.Edge) bool { return len(e.Gateways) == 1 })},
		step{"route", func(ctx context.Context, h *house) error {
			_, _, err := h.core.SaveRoute(ctx, h.actor, app, control.NewRoute{Name: "jobs", Kind: platform.HTTPRoute,
				Parents: []platform.ParentRef{{Name: "front", Port: 80}}, Rules: []platform.RouteRule{{Backends: []platform.Backend{{Service: "worker", Port: 8001}}}}})
			return err
		}, recorded(func(e control.Edge) bool { return len(e.Routes) == 1 })},
		step{"https", func(ctx context.Context, h *house) error {
			on := true
			_, err := h.core.ChangeTLS(ctx, h.actor, app, control.TLSChange{HTTPSEnforced: &on})
			return err
		}, recorded(func(e control.Edge) bool { return e.TLS.Enforced() })},
		step{"remove domain", func(ctx context.Context, h *house) error {
			return h.core.RemoveDomain(ctx, h.actor, app, "gone.example.com")
		}, recorded(func(e control.Edge) bool { return len(e.Domains) == 2 })},
	)
}

func (h *house) checkEdge() {
	x := h.cluster.Exposed(app)
	require.Len(h.t, x.Services, 2)
	require.Len(h.t, x.Certs, 1)
	require.Equal(h.t, "www.example.com", x.Certs[0].Domain)
	require.Len(h.t, x.Routes, 3)
	require.Equal(h.t, []string{"hello.example.test", "www.example.com"}, x.Routes[0].Hosts)
	require.Equal(h.t, []string{"work.example.com"}, x.Routes[1].Hosts)
	require.True(h.t, x.Routes[2].Redirect)
	require.Equal(h.t, []string{"hello.example.test", "work.example.com", "www.example.com"}, x.Routes[2].Hosts)
	work, err := h.store.ListWork(h.t.Context(), "")
	require.NoError(h.t, err)
	require.Empty(h.t, work)
	require.Equal(h.t, 2, h.versions(), "none of it makes a release")
	require.Empty(h.t, h.cluster.Overlaps())
}

// What an app shows to the outside ends the same however often the process is
// killed on the way.
func TestKillAtEveryStepOfTheEdge(t *testing.T) {
	t.Parallel()
	steps := edgeStory(t)
	calm := newHouse(t)
	count := platformtest.NewCrash(0, false)
	calm.start(count)
	calm.play(steps, count)
	calm.checkEdge()
	calm.stop()
	require.Greater(t, count.Steps(), 30)
	for at := 1; at <= count.Steps(); at += stride() {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("step %d after=%v", at, after), func(t *testing.T) {
				t.Parallel()
				h := newHouse(t)
				crash := platformtest.NewCrash(at, after)
				h.start(crash)
				h.play(steps, crash)
				h.checkEdge()
				h.stop()
			})
		}
	}
}
