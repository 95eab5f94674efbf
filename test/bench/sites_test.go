//go:build e2e

package bench

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/slipway-paas/slipway/test/house"
)

// site is a domain of an app, with its certificate.
type site struct {
	app, name  string
	chain, key []byte // PEM
	leaf       []byte // DER
}

// makeSites spreads n domains over the apps.
func makeSites(t *testing.T, n int) []site {
	t.Helper()
	var all []site
	for i := range n {
		all = append(all, makeSite(t, i%manyApps, fmt.Sprintf("d%d.bench.test", i)))
	}
	return all
}

func makeSite(t *testing.T, app int, name string) site {
	t.Helper()
	chain, key := house.SelfSigned(t, name)
	pair, err := tls.X509KeyPair(chain, key)
	require.NoError(t, err)
	return site{app: appName(app), name: name, leaf: pair.Certificate[0], chain: chain, key: key}
}

// certName is what the site's certificate is called among its app's.
func (s site) certName() string { return strings.ReplaceAll(s.name, ".", "-") }

func (e *edge) call(ctx context.Context, method, path string, in any) error {
	_, err := e.c.Call(ctx, method, path, in, nil)
	return err
}

func (e *edge) addDomain(ctx context.Context, s site) error {
	return e.call(ctx, http.MethodPost, "/apps/"+s.app+"/domains/", map[string]string{"domain": s.name})
}

func (e *edge) upload(ctx context.Context, s site) error {
	return e.call(ctx, http.MethodPost, "/apps/"+s.app+"/certs/",
		map[string]string{"name": s.certName(), "certificate": string(s.chain), "key": string(s.key)})
}

func (e *edge) attach(ctx context.Context, s site) error {
	return e.call(ctx, http.MethodPost, "/apps/"+s.app+"/certs/"+s.certName()+"/domain/", map[string]string{"domain": s.name})
}

// add makes the domains through the API, apps at the same time, and waits until
// each answers with its certificate.
func (e *edge) add(t *testing.T, sites []site) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	for i := range manyApps {
		group.Go(func() error {
			for _, s := range sites {
				if s.app != appName(i) {
					continue
				}
				for _, step := range []func(context.Context, site) error{e.addDomain, e.upload, e.attach} {
					if err := step(ctx, s); err != nil {
						return fmt.Errorf("%s: %w", s.name, err)
					}
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	for _, s := range sites {
		require.NoError(t, e.shows(t.Context(), s, http.StatusOK), s.name)
		require.NoError(t, e.presents(t.Context(), s), s.name)
	}
}

// shows waits until the gateway answers the site's name with a status.
func (e *edge) shows(ctx context.Context, s site, status int) error {
	client := &http.Client{Transport: e.m.Transport(), Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	return often(ctx, func() error {
		got, _, err := e.m.Get(ctx, client, "http://"+s.name+"/")
		if err == nil && got != status {
			err = fmt.Errorf("HTTP %d", got)
		}
		return err
	})
}

// presents waits until the gateway has the site's certificate.
func (e *edge) presents(ctx context.Context, s site) error {
	return often(ctx, func() error {
		leaf, err := house.Served(ctx, e.m, s.name)
		if err != nil {
			return err
		}
		if !slices.Equal(leaf.Raw, s.leaf) {
			return fmt.Errorf("certificate of %s", leaf.Subject)
		}
		return nil
	})
}

// often tries a hundred times a second.
func often(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// delays are how long changes took from the request to the API until the
// gateway showed them.
type delays struct{ added, secured, removed []time.Duration }

// change adds a domain to an app, gives it its certificate, and takes it away,
// several times.
func (e *edge) change(t *testing.T, when string) delays {
	t.Helper()
	ctx := t.Context()
	var d delays
	timed := func(do func() error, seen func() error) time.Duration {
		start := time.Now()
		require.NoError(t, do())
		require.NoError(t, seen())
		return time.Since(start)
	}
	for i := range setting(t, "BENCH_CHANGES", changes) {
		s := makeSite(t, i%manyApps, fmt.Sprintf("%s%d.bench.test", when, i))
		require.NoError(t, e.upload(ctx, s))
		d.added = append(d.added, timed(func() error { return e.addDomain(ctx, s) }, func() error { return e.shows(ctx, s, http.StatusOK) }))
		d.secured = append(d.secured, timed(func() error { return e.attach(ctx, s) }, func() error { return e.presents(ctx, s) }))
		d.removed = append(d.removed, timed(
			func() error { return e.call(ctx, http.MethodDelete, "/apps/"+s.app+"/domains/"+s.name, nil) },
			func() error { return e.shows(ctx, s, http.StatusNotFound) }))
		require.NoError(t, e.call(ctx, http.MethodDelete, "/apps/"+s.app+"/certs/"+s.certName(), nil))
	}
	return d
}

// tell writes the middle and the worst, with one domain and with many.
func (d delays) tell(report *rows, later delays, domains int) {
	show := func(all []time.Duration) string {
		return fmt.Sprintf("%.2f s, worst %.2f s", median(all).Seconds(), slices.Max(all).Seconds())
	}
	for _, row := range []struct {
		what          string
		early, latter []time.Duration
	}{
		{"a new domain answers", d.added, later.added},
		{"its certificate is served", d.secured, later.secured},
		{"a removed domain is gone", d.removed, later.removed},
	} {
		report.add(row.what+", 1 domain", show(row.early), "-", "-", "")
		report.add(fmt.Sprintf("%s, %d domains", row.what, domains), show(row.latter), "-",
			fmt.Sprintf("%.2f", median(row.latter).Seconds()/median(row.early).Seconds()), "≤ 1 s")
	}
}
