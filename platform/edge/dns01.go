package edge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/libdns/libdns"
	"github.com/libdns/rfc2136"
	"github.com/mholt/acmez/v3/acme"

	"github.com/slipway-paas/slipway/platform/control"
)

const (
	recordTTL   = time.Minute
	hookTimeout = 30 * time.Second
)

// dnsSolver proves names by DNS records. It says so when the fault is the
// provider's and not the authority's.
type dnsSolver struct {
	solver *certmagic.DNS01Solver
	name   string // of the provider
}

func newDNSSolver(s ACMESettings) *dnsSolver {
	var provider certmagic.DNSProvider
	resolvers := s.DNS.Resolvers
	switch s.DNS.Provider {
	case ProviderRFC2136:
		provider = &rfc2136.Provider{KeyName: s.DNS.KeyName, KeyAlg: s.DNS.KeyAlgorithm, Key: s.DNS.Key, Server: s.DNS.Server}
	case ProviderWebhook:
		provider = &webhook{url: s.DNS.URL, token: s.DNS.Token, client: &http.Client{Timeout: hookTimeout}}
	case ProviderExec:
		provider = execHook{file: s.DNS.File, secret: s.DNS.FileSecret, patience: hookTimeout}
	default:
		return nil
	}
	return &dnsSolver{name: s.DNS.Provider, solver: &certmagic.DNS01Solver{DNSManager: certmagic.DNSManager{
		DNSProvider: provider, TTL: recordTTL, Resolvers: resolvers,
	}}}
}

func (d *dnsSolver) fault(name string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return &control.CertError{Problem: control.CertDNSProvider, Err: err, Message: fmt.Sprintf(
		"the DNS record that proves %s could not be made through %s (%s): check the ACME_DNS settings", name, d.name, clean(err.Error()))}
}

// Present makes the record.
func (d *dnsSolver) Present(ctx context.Context, c acme.Challenge) error {
	return d.fault(c.Identifier.Value, d.solver.Present(ctx, c))
}

// Wait returns when the record can be seen.
func (d *dnsSolver) Wait(ctx context.Context, c acme.Challenge) error {
	return d.fault(c.Identifier.Value, d.solver.Wait(ctx, c))
}

// CleanUp removes the record.
func (d *dnsSolver) CleanUp(ctx context.Context, c acme.Challenge) error {
	return d.solver.CleanUp(context.WithoutCancel(ctx), c)
}

// webhook has a program of the operator's make and remove records.
type webhook struct {
	url, token string
	client     *http.Client
}

// hookRequest is what the program gets.
type hookRequest struct {
	Action string `json:"action"` // "add", "delete"
	Zone   string `json:"zone"`   // "example.com."
	Name   string `json:"name"`   // "_acme-challenge.apps.example.com."
	Type   string `json:"type"`   // "TXT"
	Value  string `json:"value"`
	TTL    int    `json:"ttl"` // seconds
}

// AppendRecords asks for records to be made.
func (w *webhook) AppendRecords(ctx context.Context, zone string, records []libdns.Record) ([]libdns.Record, error) {
	return records, w.post(ctx, "add", zone, records)
}

// DeleteRecords asks for records to be removed.
func (w *webhook) DeleteRecords(ctx context.Context, zone string, records []libdns.Record) ([]libdns.Record, error) {
	return records, w.post(ctx, "delete", zone, records)
}

func (w *webhook) post(ctx context.Context, action, zone string, records []libdns.Record) error {
	for _, record := range records {
		rr := record.RR()
		body, err := json.Marshal(hookRequest{
			Action: action, Zone: zone, Name: libdns.AbsoluteName(rr.Name, zone), Type: rr.Type, Value: rr.Data, TTL: int(rr.TTL / time.Second),
		})
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
		if err != nil {
			return errors.New("the address of the webhook is none")
		}
		req.Header.Set("Content-Type", "application/json")
		if w.token != "" {
			req.Header.Set("Authorization", "Bearer "+w.token)
		}
		resp, err := w.client.Do(req)
		if err != nil {
			return fmt.Errorf("webhook: %w", err)
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // so that the connection is used again
		_ = resp.Body.Close()
		if resp.StatusCode/100 != 2 {
			return fmt.Errorf("webhook: it answered %s", resp.Status)
		}
	}
	return nil
}
