package checkup

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
)

const (
	day = 24 * time.Hour
	// leafWarning: k3s makes new certificates when it starts within 120 days of
	// their end; a server that runs on has to be restarted in time.
	leafWarning = 90 * day
	caWarning   = 365 * day
	// wildcardWarning: the running server renews this one long before.
	wildcardWarning = 7 * day
)

// certificate is one that was found in a file.
type certificate struct {
	path string
	*x509.Certificate
}

// checkCertificates reads those that k3s and the platform keep in files. Those
// of apps are in the controller's database and looked at there.
func checkCertificates(_ context.Context, e *env) ([]doctor.Finding, error) {
	var all []certificate
	for _, dir := range []string{"server/tls", "server/tls/etcd", "agent"} {
		list, err := certificatesIn(e, filepath.Join(e.opts.DataDir, dir))
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	own, err := certificatesIn(e, e.opts.CA)
	if err != nil {
		return nil, err
	}
	now := e.opts.Now()
	found := clusterFindings(e, all, now)
	for _, c := range own {
		limit, cure := wildcardWarning, "look in the log why it was not renewed; \"slipway doctor tls\" looks at every link"
		if c.IsCA {
			limit, cure = caWarning, "give clients a new authority in time: see docs/certificates.md"
		}
		if f, ok := expires(c, now, limit, cure); ok {
			found = append(found, f)
		}
	}
	return found, nil
}

// clusterFindings are one finding for the leaves, which are renewed together,
// and one for each authority.
func clusterFindings(e *env, all []certificate, now time.Time) []doctor.Finding {
	var found []doctor.Finding
	var first *doctor.Finding
	var soonest time.Time
	count := 0
	for _, c := range all {
		if c.IsCA {
			if f, ok := expires(c, now, caWarning, "rotate the authority with k3s's means: https://docs.k3s.io/cli/certificate"); ok && strings.Contains(c.path, "server/tls") {
				found = append(found, f)
			}
			continue
		}
		f, ok := expires(c, now, leafWarning, "restart the service: it makes new certificates when it starts, and apps go on meanwhile")
		if !ok {
			continue
		}
		count++
		if first == nil || c.NotAfter.Before(soonest) {
			first, soonest = &f, c.NotAfter
		}
	}
	if first == nil {
		return found
	}
	if count > 1 {
		first.Evidence += fmt.Sprintf(" (and %d more)", count-1)
	}
	if svc := e.opts.Service; svc != nil {
		first.Fix = &doctor.Fix{Change: "restart the service, which makes new certificates (apps go on; a minute without API)",
			Do: func(ctx context.Context, _ doctor.Changer) error { return svc.Start(ctx) }}
	}
	return append(found, *first)
}

func expires(c certificate, now time.Time, limit time.Duration, cure string) (doctor.Finding, bool) {
	left := c.NotAfter.Sub(now)
	f := doctor.Finding{Severity: doctor.Warning, Title: "a certificate ends soon", Evidence: fmt.Sprintf("%s ends on %s", c.path, c.NotAfter.UTC().Format(time.DateOnly)),
		Reason: "what it speaks for is not trusted any more after that", Cure: cure}
	if now.Before(c.NotBefore.Add(-time.Minute)) {
		f.Severity, f.Title = doctor.Error, "a certificate is not valid yet"
		f.Evidence = fmt.Sprintf("%s begins on %s, and the clock shows %s", c.path, c.NotBefore.UTC().Format(time.DateTime), now.UTC().Format(time.DateTime))
		f.Reason, f.Cure = "the clock was set back since it was made", "set the clock: timedatectl set-ntp true"
		return f, true
	}
	if left <= 0 {
		f.Severity, f.Title = doctor.Error, "a certificate has ended"
	}
	return f, left < limit
}

// certificatesIn reads the first certificate of each .crt and .pem file.
func certificatesIn(e *env, dir string) ([]certificate, error) {
	names, err := e.host.List(dir)
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []certificate
	for _, name := range names {
		if ext := filepath.Ext(name); (ext != ".crt" && ext != ".pem") || strings.HasPrefix(name, ".") {
			continue
		}
		path := filepath.Join(dir, name)
		data, err := e.host.ReadFile(path)
		if isAbsent(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for len(data) > 0 {
			var block *pem.Block
			if block, data = pem.Decode(data); block == nil {
				break
			}
			if block.Type != "CERTIFICATE" {
				continue
			}
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("certificate %s: %w", path, err)
			}
			list = append(list, certificate{path, c})
			break
		}
	}
	return list, nil
}
