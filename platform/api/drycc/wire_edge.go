package drycc

import (
	"encoding/json"
	"strconv"

	"github.com/slipway-paas/slipway/platform"
)

// number is an integer that may also arrive as a string of digits.
type number int

// UnmarshalJSON reads a number or its digits in a string.
func (n *number) UnmarshalJSON(data []byte) error {
	digits := string(data)
	if data[0] == '"' {
		if err := json.Unmarshal(data, &digits); err != nil {
			return err
		}
	}
	v, err := strconv.Atoi(digits)
	if err != nil {
		return &valueError{"A valid integer is required."}
	}
	*n = number(v)
	return nil
}

func toDomain(d platform.Domain) domainWire {
	return domainWire{d.App, d.Name, d.Ptype, stamp(d.Created), stamp(d.Updated)}
}

// tlsWire is how an app is served over HTTPS.
type tlsWire struct {
	UUID          string         `json:"uuid"`
	App           string         `json:"app"`
	HTTPSEnforced *bool          `json:"https_enforced"`
	AutoCerts     *bool          `json:"certs_auto_enabled"`
	Issuer        issuerWire     `json:"issuer"`
	Events        []tlsEventWire `json:"events"`
	Created       stamp          `json:"created"`
	Updated       stamp          `json:"updated"`
}

// issuerWire is the authority of an app's certificates. The secret goes in and
// never out.
type issuerWire struct {
	Email     string `json:"email"`
	Server    string `json:"server"`
	KeyID     string `json:"key_id"`
	KeySecret string `json:"key_secret"`
}

// tlsEventWire tells how the certificate of a domain is.
type tlsEventWire struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Time    stamp  `json:"time"`
	Type    string `json:"type"`
	Status  string `json:"status"`
	Message string `json:"message"`
}

func toTLS(t platform.TLS) tlsWire {
	return tlsWire{t.UUID, t.App, t.HTTPSEnforced, t.AutoCerts, issuerWire{t.Issuer.Email, t.Issuer.Server, t.Issuer.KeyID, ""},
		convertAll(t.Events, toTLSEvent), stamp(t.Created), stamp(t.Updated)}
}

func toTLSEvent(e platform.TLSEvent) tlsEventWire {
	status := "False"
	if e.Ready {
		status = "True"
	}
	return tlsEventWire{e.Name, "Certificate", stamp(e.Time), "Ready", status, e.Message}
}

// certWire is a certificate without its key.
type certWire struct {
	ID          int64    `json:"id"`
	App         *string  `json:"app"`
	Owner       string   `json:"owner"`
	Name        string   `json:"name"`
	CommonName  *string  `json:"common_name"`
	SAN         []string `json:"san"`
	Fingerprint string   `json:"fingerprint"`
	Expires     stamp    `json:"expires"`
	Starts      stamp    `json:"starts"`
	Issuer      string   `json:"issuer"`
	Subject     string   `json:"subject"`
	Domains     []string `json:"domains"`
	Created     stamp    `json:"created"`
	Updated     stamp    `json:"updated"`
}

func toCert(c platform.Cert) certWire {
	return certWire{c.ID, optional(c.App), c.Owner, c.Name, optional(c.CommonName), listOrEmpty(c.SAN), c.Fingerprint, stamp(c.Expires), stamp(c.Starts),
		c.Issuer, c.Subject, listOrEmpty(c.Domains), stamp(c.Created), stamp(c.Updated)}
}

// servicesWire is the list of services, which is no page.
type servicesWire struct {
	Services []serviceWire `json:"services"`
}

// serviceWire is a service inside the cluster.
type serviceWire struct {
	Name   string            `json:"name"`
	Domain string            `json:"domain"`
	Ptype  string            `json:"ptype"`
	Ports  []servicePortWire `json:"ports"`
}

type servicePortWire struct {
	Name       string `json:"name"`
	Port       int    `json:"port"`
	Protocol   string `json:"protocol"`
	TargetPort int    `json:"targetPort"`
}

func toService(s platform.Service) serviceWire {
	return serviceWire{s.Name(), s.Name() + "." + s.App + ".svc", s.Ptype, convertAll(s.Ports, toServicePort)}
}

func toServicePort(p platform.ServicePort) servicePortWire {
	return servicePortWire{p.PortName(), p.Port, p.Protocol, p.Target}
}

// gatewayWire is a gateway.
type gatewayWire struct {
	ID        int64             `json:"id"`
	App       string            `json:"app"`
	Name      string            `json:"name"`
	Ports     []gatewayPortWire `json:"ports"`
	Addresses []addressWire     `json:"addresses"`
	Created   stamp             `json:"created"`
	Updated   stamp             `json:"updated"`
}

type gatewayPortWire struct {
	Port     int    `json:"port"`
	Protocol string `json:"protocol"`
}

type addressWire struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

func (h *Handler) toGateway(g platform.Gateway) gatewayWire {
	return gatewayWire{g.ID, g.App, g.Name,
		convertAll(g.Ports, func(p platform.GatewayPort) gatewayPortWire { return gatewayPortWire{p.Port, p.Protocol} }),
		convertAll(h.core.Addresses(), func(a platform.Address) addressWire { return addressWire{a.Type, a.Value} }),
		stamp(g.Created), stamp(g.Updated)}
}

// validationWire is the error body of gateways and routes.
type validationWire struct {
	Error validationBody `json:"error"`
}

type validationBody struct {
	Code    string              `json:"code"`
	Message string              `json:"message"`
	Details map[string][]string `json:"details"`
}
