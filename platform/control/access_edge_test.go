package control_test

import (
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// edgeVerbs are those about domains and certificates.
func edgeVerbs() []verb {
	return []verb{
		{"ListDomains", platform.Viewer, false, func(k *kit, w control.Actor, a string) error {
			_, _, err := k.ListDomains(k.t.Context(), w, a, control.Page{})
			return err
		}},
		{"AddDomain", platform.Member, false, func(k *kit, w control.Actor, a string) error {
			_, err := k.AddDomain(k.t.Context(), w, a, "new.example.com", "web")
			return err
		}},
		{"FindTLS", platform.Viewer, false, func(k *kit, w control.Actor, a string) error { _, err := k.FindTLS(k.t.Context(), w, a); return err }},
		{"ChangeTLS", platform.Member, false, func(k *kit, w control.Actor, a string) error {
			_, err := k.ChangeTLS(k.t.Context(), w, a, control.TLSChange{HTTPSEnforced: ptr(true)})
			return err
		}},
		{"CheckCerts", platform.Viewer, false, func(k *kit, w control.Actor, a string) error {
			_, _, err := k.CheckCerts(k.t.Context(), w, a, "", control.Page{})
			return err
		}},
		{"ListCerts", platform.Viewer, false, func(k *kit, w control.Actor, a string) error {
			_, _, err := k.ListCerts(k.t.Context(), w, a, control.Page{})
			return err
		}},
		{"AddCert", platform.Member, false, func(k *kit, w control.Actor, a string) error {
			chain, key, err := (&authority{clock: k.clock}).Certify(k.t.Context(), []string{"have.example.com"})
			require.NoError(k.t, err)
			_, err = k.AddCert(k.t.Context(), w, a, control.NewCert{Name: "new", Certificate: string(chain), Key: string(key)})
			return err
		}},
		{"FindCert", platform.Viewer, false, func(k *kit, w control.Actor, a string) error {
			_, err := k.FindCert(k.t.Context(), w, a, "have")
			return err
		}},
		{"AttachCert", platform.Member, false, func(k *kit, w control.Actor, a string) error {
			return k.AttachCert(k.t.Context(), w, a, "have", "have.example.com")
		}},
		{"DetachCert", platform.Admin, false, func(k *kit, w control.Actor, a string) error {
			return k.DetachCert(k.t.Context(), w, a, "have", "other.example.com")
		}},
		{"DeleteCert", platform.Admin, false, func(k *kit, w control.Actor, a string) error {
			return k.DeleteCert(k.t.Context(), w, a, "have")
		}},
		{"RemoveDomain", platform.Admin, false, func(k *kit, w control.Actor, a string) error {
			return k.RemoveDomain(k.t.Context(), w, a, "have.example.com")
		}},
	}
}

// routingVerbs are those about services, gateways and routes.
func routingVerbs() []verb {
	return []verb{
		{"ListServices", platform.Viewer, false, func(k *kit, w control.Actor, a string) error {
			_, err := k.ListServices(k.t.Context(), w, a)
			return err
		}},
		{"AddServicePort", platform.Member, false, func(k *kit, w control.Actor, a string) error {
			_, err := k.AddServicePort(k.t.Context(), w, a, "web", platform.ServicePort{Port: 8001, Protocol: "TCP", Target: 8001})
			return err
		}},
		{"RemoveServicePort", platform.Admin, false, func(k *kit, w control.Actor, a string) error {
			return k.RemoveServicePort(k.t.Context(), w, a, "have", 80, "TCP")
		}},
		{"ListGateways", platform.Viewer, false, func(k *kit, w control.Actor, a string) error {
			_, _, err := k.ListGateways(k.t.Context(), w, a, control.Page{})
			return err
		}},
		{"FindGateway", platform.Viewer, false, func(k *kit, w control.Actor, a string) error {
			_, err := k.FindGateway(k.t.Context(), w, a, "have")
			return err
		}},
		{"SaveGateway", platform.Member, false, func(k *kit, w control.Actor, a string) error {
			_, _, err := k.SaveGateway(k.t.Context(), w, a, "new", []platform.GatewayPort{{Port: 80, Protocol: "HTTP"}})
			return err
		}},
		{"AddGatewayPort", platform.Member, false, func(k *kit, w control.Actor, a string) error {
			_, _, err := k.AddGatewayPort(k.t.Context(), w, a, "have", platform.GatewayPort{Port: 443, Protocol: "HTTPS"})
			return err
		}},
		{"RemoveGatewayPort", platform.Admin, false, func(k *kit, w control.Actor, a string) error {
			return k.RemoveGatewayPort(k.t.Context(), w, a, "have", platform.GatewayPort{Port: 80, Protocol: "HTTP"})
		}},
		{"ListRoutes", platform.Viewer, false, func(k *kit, w control.Actor, a string) error {
			_, _, err := k.ListRoutes(k.t.Context(), w, a, control.Page{})
			return err
		}},
		{"FindRoute", platform.Viewer, false, func(k *kit, w control.Actor, a string) error {
			_, err := k.FindRoute(k.t.Context(), w, a, "have")
			return err
		}},
		{"SaveRoute", platform.Member, false, func(k *kit, w control.Actor, a string) error {
			_, _, err := k.SaveRoute(k.t.Context(), w, a, control.NewRoute{Name: "new", Kind: platform.HTTPRoute,
				Rules: []platform.RouteRule{{Backends: []platform.Backend{{Service: "web", Port: 80}}}}})
			return err
		}},
		{"AttachRoute", platform.Member, false, func(k *kit, w control.Actor, a string) error {
			return k.AttachRoute(k.t.Context(), w, a, "have", platform.ParentRef{Name: a, Port: 80})
		}},
		{"DetachRoute", platform.Member, false, func(k *kit, w control.Actor, a string) error {
			return k.DetachRoute(k.t.Context(), w, a, "have", platform.ParentRef{Name: a, Port: 443})
		}},
		{"DeleteRoute", platform.Admin, false, func(k *kit, w control.Actor, a string) error {
			return k.DeleteRoute(k.t.Context(), w, a, "have")
		}},
		{"DeleteGateway", platform.Admin, false, func(k *kit, w control.Actor, a string) error {
			return k.DeleteGateway(k.t.Context(), w, a, "have")
		}},
	}
}
