package platform

import "slices"

// RouteProtocols are the protocols of gateway ports that a route of the kind
// can take requests or connections from.
func RouteProtocols(kind string) []string {
	switch kind {
	case HTTPRoute, GRPCRoute:
		return []string{ProtocolHTTP, ProtocolHTTPS}
	case TCPRoute:
		return []string{ProtocolTCP}
	case TLSRoute:
		return []string{ProtocolTLS}
	}
	return nil
}

// Streams reports a kind of route that hands over whole connections.
func Streams(kind string) bool { return kind == TCPRoute || kind == TLSRoute }

// validateKind refuses what the gateway cannot carry: kinds that it does not
// know, and those for which no port is open.
func validateKind(kind string, open []GatewayPort) error {
	const known = "HTTPRoute, GRPCRoute, TCPRoute or TLSRoute"
	protocols := RouteProtocols(kind)
	switch {
	case kind == "UDPRoute":
		return FieldErrorf("kind", "%s is not carried by this platform's gateway, which knows no UDP. Use %s.", kind, known)
	case protocols == nil:
		return FieldErrorf("kind", "%s is not a valid choice: use %s.", quote(kind), known)
	case !slices.ContainsFunc(open, func(p GatewayPort) bool { return slices.Contains(protocols, p.Protocol) }):
		return FieldErrorf("kind", "%s needs a port of its own, and only %s are open on this platform. "+openMore, kind, PortList(open))
	}
	return nil
}

// openMore is who opens ports, and how.
const openMore = "An administrator opens more with the setting SLIPWAY_GATEWAY_PORTS."

// validateStream refuses what has no meaning where a connection is handed over
// whole: its content is not looked at.
func validateStream(r Route) error {
	if !Streams(r.Kind) {
		return nil
	}
	if len(r.Rules) > 1 {
		return FieldErrorf("rules", "A %s has one rule: connections are not told apart by what they carry.", r.Kind)
	}
	for _, rule := range r.Rules {
		if len(rule.Matches)+len(rule.Filters) > 0 {
			return FieldErrorf("rules", "A %s has neither matches nor filters: connections are handed over as they are.", r.Kind)
		}
	}
	return nil
}
