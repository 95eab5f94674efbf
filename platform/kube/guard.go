package kube

import (
	"net/http"

	"k8s.io/client-go/transport"
)

// guarded asks guard before each request that may change something. Reading
// goes on without it.
func guarded(guard func() error) transport.WrapperFunc {
	return func(next http.RoundTripper) http.RoundTripper {
		if guard == nil {
			return next
		}
		return guardTransport{next, guard}
	}
}

type guardTransport struct {
	next  http.RoundTripper
	guard func() error
}

// RoundTrip implements http.RoundTripper.
func (t guardTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		if err := t.guard(); err != nil {
			if r.Body != nil {
				_ = r.Body.Close() // as the contract of RoundTrip says
			}
			return nil, err
		}
	}
	return t.next.RoundTrip(r)
}

// WrappedRoundTripper lets client-go find what is below.
func (t guardTransport) WrappedRoundTripper() http.RoundTripper { return t.next }
