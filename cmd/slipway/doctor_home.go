package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/rehome"
)

// homeChecks look whether the platform is where the host is.
func (m *machine) homeChecks() []doctor.Check {
	return []doctor.Check{{
		ID: "address", Title: "address, host name and domain of this node", Scope: doctor.RunningServer, Look: m.checkHome,
	}}
}

func (m *machine) checkHome(ctx context.Context) ([]doctor.Finding, error) {
	_, place, err := locate(m.host, m.settings)
	var gone *rehome.Gone
	if errors.As(err, &gone) {
		return []doctor.Finding{goneFinding(gone)}, nil
	}
	if err != nil {
		return nil, err
	}
	return homeFindings(m.settings.Domain, place, m.running(ctx)), nil
}

func goneFinding(gone *rehome.Gone) doctor.Finding {
	f := doctor.Finding{
		Severity: doctor.Error, Title: "the address of this node is gone",
		Evidence: "no interface has " + gone.Address, Reason: "Kubernetes, its certificates and the gateway are at that address",
		Cure: "connect the network",
	}
	if len(gone.Candidates) > 0 {
		f.Evidence += "; the host has " + strings.Join(gone.Candidates, ", ")
		f.Cure = fmt.Sprintf("run \"slipway rehome --ip %s\" with the one by which others reach this host", gone.Candidates[0])
	}
	return f
}

// homeFindings compare where the server runs, if one does, with where it should.
func homeFindings(domain string, place home, running *lifecycle.Report) (list []doctor.Finding) {
	if running == nil {
		return nil // another check tells of that
	}
	for _, c := range []struct{ what, is, should string }{
		{"address", running.Address, place.now.Address}, {"domain", running.Domain, domain},
	} {
		if c.is != c.should {
			list = append(list, doctor.Finding{
				Severity: doctor.Warning, Title: "the server runs with another " + c.what + " than it should",
				Evidence: fmt.Sprintf("it runs with %s, settings and host say %s", c.is, c.should),
				Reason:   "names and certificates lead to where nobody answers", Cure: "run \"slipway rehome\"",
			})
		}
	}
	return list
}
