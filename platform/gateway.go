package platform

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Protocols of services and gateways.
const (
	ProtocolTCP   = "TCP"
	ProtocolUDP   = "UDP"
	ProtocolSCTP  = "SCTP"
	ProtocolHTTP  = "HTTP"
	ProtocolHTTPS = "HTTPS"
	ProtocolTLS   = "TLS"
)

// Service makes a process type reachable inside the cluster.
type Service struct {
	App     string
	Ptype   string
	Ports   []ServicePort // at least one
	Created time.Time
	Updated time.Time
}

// ServicePort leads from a port of the Service to one of the process. The
// target 0 is the process's PORT, whatever it is.
type ServicePort struct {
	Port     int
	Protocol string // TCP, UDP, SCTP
	Target   int
}

// PortName is what the port is called in the cluster: "tcp-80".
func (p ServicePort) PortName() string {
	return strings.ToLower(p.Protocol) + "-" + strconv.Itoa(p.Port)
}

// Name is the Service's name in the cluster: the app's own for web.
func (s Service) Name() string { return ServiceName(s.App, s.Ptype) }

// ServiceName is the name in the cluster of the Service of a process type.
func ServiceName(app, ptype string) string {
	if ptype == WebPtype {
		return app
	}
	return app + "-" + ptype
}

// Find returns the port of that number and protocol.
func (s Service) Find(port int, protocol string) (ServicePort, bool) {
	for _, p := range s.Ports {
		if p.Port == port && p.Protocol == protocol {
			return p, true
		}
	}
	return ServicePort{}, false
}

// ValidateServicePort checks protocol and numbers.
func ValidateServicePort(p ServicePort) error {
	if !slices.Contains([]string{ProtocolTCP, ProtocolUDP, ProtocolSCTP}, p.Protocol) {
		return FieldErrorf("protocol", "%s is not a valid choice: use TCP, UDP or SCTP.", quote(p.Protocol))
	}
	if err := validatePort("port", p.Port); err != nil {
		return err
	}
	return validatePort("target_port", p.Target)
}

func validatePort(field string, port int) error {
	if port < 1 || port > 65535 {
		return FieldErrorf(field, "Ensure this value is between 1 and 65535.")
	}
	return nil
}

// quote makes a value of users fit for a message: short, on one line.
func quote(s string) string {
	const most = 64
	if len(s) > most {
		s = s[:most] + "…"
	}
	return fmt.Sprintf("%q", s)
}

// Gateway is a set of ports on which an app takes requests from outside.
type Gateway struct {
	ID      int64
	App     string
	Name    string
	Ports   []GatewayPort
	Created time.Time
	Updated time.Time
}

// GatewayPort is one port of a gateway.
type GatewayPort struct {
	Port     int
	Protocol string // HTTP, HTTPS, TCP, UDP, TLS
}

// Address is where a gateway is reached.
type Address struct {
	Type  string // IPAddress, Hostname
	Value string
}

// GatewayProtocols lists the protocols that the API knows.
func GatewayProtocols() []string {
	return []string{ProtocolHTTP, ProtocolHTTPS, ProtocolTCP, ProtocolUDP, ProtocolTLS}
}

// ValidateEdgeName checks the name of a gateway or route: lower-case letters,
// digits and inner hyphens, 1 to 63 of them.
func ValidateEdgeName(name string) error {
	if !isDNSLabel(name) {
		return FieldErrorf("name", "Can only contain a-z (lowercase), 0-9 and hyphens")
	}
	return nil
}

// ValidateGatewayPorts checks the ports of a gateway against those that the
// platform has open. A number may come twice only when one of both is UDP.
func ValidateGatewayPorts(ports, open []GatewayPort) error {
	for i, p := range ports {
		if !slices.Contains(GatewayProtocols(), p.Protocol) {
			return FieldErrorf("ports", "%s is not a valid choice: use %s.", quote(p.Protocol), strings.Join(GatewayProtocols(), ", "))
		}
		if p.Port < 1 || p.Port > 65535 {
			return FieldErrorf("ports", "Ensure the port is between 1 and 65535.")
		}
		for _, other := range ports[:i] {
			if other.Port == p.Port && (other.Protocol == ProtocolUDP) == (p.Protocol == ProtocolUDP) {
				return FieldErrorf("detail", "port is occupied")
			}
		}
		if !slices.Contains(open, p) {
			return FieldErrorf("ports", "port %d (%s) is not open on this platform: its gateway listens on %s. "+openMore,
				p.Port, p.Protocol, PortList(open))
		}
	}
	return nil
}

// Exclusive reports a port that only one app can have: nothing in a connection
// tells whose it is.
func (p GatewayPort) Exclusive() bool { return p.Protocol == ProtocolTCP }

// PortList writes ports for messages: "80 (HTTP) and 443 (HTTPS)".
func PortList(ports []GatewayPort) string {
	var parts []string
	for _, p := range ports {
		parts = append(parts, fmt.Sprintf("%d (%s)", p.Port, p.Protocol))
	}
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}
