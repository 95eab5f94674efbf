package bootstrap

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// GatewayPort is a port of the host on which the gateway listens beside 80 and
// 443, with what is spoken there: HTTP, HTTPS, TCP or TLS.
type GatewayPort struct {
	Port     int
	Protocol string
}

// String is the port as the setting has it.
func (p GatewayPort) String() string { return strconv.Itoa(p.Port) + "/" + p.Protocol }

// mostGatewayPorts: two listeners of the one Gateway's 64 are taken, and each
// port costs the gateway memory and every change of a route some time.
const mostGatewayPorts = 30

func gatewaySettings() []Setting {
	g := groupController
	return []Setting{
		{Name: "SLIPWAY_GATEWAY_PORTS", Group: g, Key: "gateway-ports", Verdict: Honoured,
			Meaning: "more ports of the host for the gateways of apps, each with HTTP, HTTPS, TCP or TLS, such as 5432/TCP,8443/HTTPS,9000-9003/TCP; a TCP port is for one app",
			apply:   gatewayPorts, show: showGatewayPorts},
		{Name: "SLIPWAY_ACCESS_LOG", Group: g, Key: "access-log", Default: "false", Verdict: Honoured,
			Meaning: "whether the gateway logs each request: one line of JSON with app, host, path without query, status and times",
			apply:   boolean(func(s *Settings) *bool { return &s.AccessLog }), show: showTrue(func(s Settings) bool { return s.AccessLog })},
		{Name: "SLIPWAY_HTTP3", Group: g, Key: "http3", Default: "false", Verdict: Honoured,
			Meaning: "whether the gateway offers HTTP/3, on UDP port 443; its connections break when the gateway is replaced",
			apply:   boolean(func(s *Settings) *bool { return &s.HTTP3 }), show: showTrue(func(s Settings) bool { return s.HTTP3 })},
	}
}

func showTrue(value func(Settings) bool) func(Settings) string {
	return func(s Settings) string {
		if value(s) {
			return "true"
		}
		return ""
	}
}

func showGatewayPorts(s Settings) string {
	var all []string
	for _, p := range s.GatewayPorts {
		all = append(all, p.String())
	}
	return strings.Join(all, ",")
}

func gatewayPorts(s *Settings, v string) (string, string) {
	const cure = "give ports with what is spoken there, such as 5432/TCP,8443/HTTPS,9000-9003/TCP"
	var all []GatewayPort
	for _, part := range strings.Split(v, ",") {
		numbers, protocol, _ := strings.Cut(strings.TrimSpace(part), "/")
		protocol = strings.ToUpper(protocol)
		if !slices.Contains([]string{"HTTP", "HTTPS", "TCP", "TLS"}, protocol) {
			return fmt.Sprintf("names no protocol in %q that the gateway carries", part), cure
		}
		from, to, ranged := strings.Cut(numbers, "-")
		if !ranged {
			to = from
		}
		first, bad := strconv.Atoi(from)
		last, worse := strconv.Atoi(to)
		if bad != nil || worse != nil || first < 1 || last > 65535 || first > last {
			return fmt.Sprintf("has no ports in %q", part), cure
		}
		for port := first; port <= last; port++ {
			if len(all) == mostGatewayPorts {
				return "has too many ports", fmt.Sprintf("give at most %d", mostGatewayPorts)
			}
			if slices.Contains(reservedPorts(), port) {
				return fmt.Sprintf("has port %d, which the platform itself listens on", port), "choose another"
			}
			if slices.ContainsFunc(all, func(p GatewayPort) bool { return p.Port == port }) {
				return fmt.Sprintf("has port %d twice", port), "a port speaks one protocol"
			}
			all = append(all, GatewayPort{port, protocol})
		}
	}
	s.GatewayPorts = all
	return "", ""
}

// reservedPorts are the platform's own, and the host's door.
func reservedPorts() []int { return append(Ports(), 22, 9581, 9582) }
