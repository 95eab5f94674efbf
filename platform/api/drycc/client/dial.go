package client

import (
	"context"
	"net"
	"strings"
)

// dial connects. A name below localhost is this machine (RFC 6761, 6.3), also
// where the system's resolver does not know that: the platform's default
// domain, slipway.localhost, is one.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), ".localhost") {
		address = net.JoinHostPort("localhost", port)
	}
	return (&net.Dialer{Timeout: dialTimeout, KeepAlive: dialTimeout}).DialContext(ctx, network, address)
}
