package diagnose

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const (
	maxHops = 5
	maxBody = 4 << 10 // bytes read of any answer
)

// page is how a server answered.
type page struct {
	status   int
	server   string // what it calls itself
	body     string // its first bytes
	location string // of a redirect that was not followed
	chain    []string
	loop     bool
}

// connectError is why no connection came about, in words.
type connectError struct {
	text, reason, cure string
	dark               bool // a device in between may be to blame
	err                error
}

func (e *connectError) Error() string { return e.text }

func (e *connectError) Unwrap() error { return e.err }

// explain puts the failure of a connection into words.
func explain(err error, address string) *connectError {
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return &connectError{address + ": connection refused", "nothing listens on that port",
			"see with \"slipway status\" that the gateway is ready, and that a router in between passes the port on", true, err}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return &connectError{address + ": no route", "the network does not reach that address",
			"see that the address is right and that the host has a route, for IPv6 too when there is an AAAA record", true, err}
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &connectError{address + ": no answer in time", "a firewall or a router drops the packets",
			"open the port in the firewall of the host, of the provider (security group) and of the router", true, err}
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &connectError{address + ": connection cut", "a firewall or another program cuts the connection",
			"see which program has the port: ss -ltnp", false, err}
	}
	return &connectError{address + ": " + err.Error(), "the server there does not speak HTTP as it should",
		"see which program has the port: ss -ltnp", false, err}
}

// fetch asks for a path of the examined name at one address. Redirects are
// followed on the same name and to ports 80 and 443 only.
func (e *exam) fetch(ctx context.Context, at netip.Addr, path string) (page, *connectError) {
	ctx, cancel := context.WithTimeout(ctx, e.o.Patience)
	defer cancel()
	dial := func(port uint16) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, _, _ string) (net.Conn, error) {
			return e.o.Dial(ctx, "tcp", target(at, port))
		}
	}
	var out page
	secure := false
	next := path
	seen := map[string]bool{}
	for {
		scheme, port := "http", e.o.HTTPPort
		if secure {
			scheme, port = "https", e.o.HTTPSPort
		}
		here := scheme + "://" + e.name + next
		if seen[here] || len(seen) == maxHops {
			out.loop = true
			return out, nil
		}
		seen[here] = true
		out.chain = append(out.chain, here)
		location, err := e.get(ctx, dial(port), here, &out)
		if err != nil {
			return out, explain(err, target(at, port))
		}
		if location == nil {
			return out, nil
		}
		if !strings.EqualFold(location.Hostname(), e.name) || !e.sameDoor(location) {
			out.location = location.Redacted()
			return out, nil
		}
		secure, next = location.Scheme == "https", location.RequestURI()
	}
}

// sameDoor reports a redirect to one of the two ports.
func (e *exam) sameDoor(u *url.URL) bool {
	switch u.Scheme {
	case "http":
		return u.Port() == "" || u.Port() == strconv.Itoa(int(e.o.HTTPPort))
	case "https":
		return u.Port() == "" || u.Port() == strconv.Itoa(int(e.o.HTTPSPort))
	}
	return false
}

// get makes one request and returns where it redirects to, if it does.
func (e *exam) get(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error), address string, out *page) (*url.URL, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "slipway-certs-check")
	// What is looked at is whether the nonce comes through; whose certificate
	// that is, is a link of its own.
	transport := &http.Transport{
		DialContext: dial, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 16 << 10,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, ServerName: e.name},
	}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	out.status, out.server, out.body = response.StatusCode, response.Header.Get("Server"), string(body)
	if !slices.Contains([]int{301, 302, 303, 307, 308}, response.StatusCode) {
		return nil, nil
	}
	location, err := response.Location()
	if err != nil {
		return nil, nil // a redirect to nowhere is an answer like any other
	}
	return location, nil
}

func target(at netip.Addr, port uint16) string { return netip.AddrPortFrom(at, port).String() }

// said is an answer as evidence.
func (p page) said(at netip.Addr) string {
	text := fmt.Sprintf("%s answers %d", at, p.status)
	if p.server != "" {
		text += fmt.Sprintf(" (Server: %.60s)", p.server)
	}
	if len(p.chain) > 1 {
		text += " after redirects over " + strings.Join(p.chain[1:], ", ")
	}
	return text
}
