package main

import (
	"fmt"
	"maps"
	"time"

	traefiktls "github.com/traefik/traefik/v3/pkg/tls"
	"github.com/traefik/traefik/v3/pkg/tls/generate"
	"github.com/traefik/traefik/v3/pkg/types"
)

// fallback is the certificate of connections for which there is no other. Left
// to itself Traefik makes one, with an RSA key, for every new configuration:
// that takes longer than all else a changed route does.
type fallback struct{ chain, key []byte }

// fallbackLife is longer than a gateway runs.
const fallbackLife = 10 * 365 * 24 * time.Hour

func newFallback() (*fallback, error) {
	chain, key, err := generate.KeyPair("gateway.invalid", time.Now().Add(fallbackLife))
	if err != nil {
		return nil, fmt.Errorf("certificate of connections without a known name: %w", err)
	}
	return &fallback{chain: chain, key: key}, nil
}

// in adds the certificate to the stores of a configuration that name none.
func (f *fallback) in(stores map[string]traefiktls.Store) map[string]traefiktls.Store {
	all := maps.Clone(stores)
	if all == nil {
		all = map[string]traefiktls.Store{}
	}
	store := all[traefiktls.DefaultTLSStoreName]
	if store.DefaultCertificate == nil && store.DefaultGeneratedCert == nil {
		store.DefaultCertificate = &traefiktls.Certificate{
			CertFile: types.FileOrContent(f.chain), KeyFile: types.FileOrContent(f.key),
		}
	}
	all[traefiktls.DefaultTLSStoreName] = store
	return all
}
