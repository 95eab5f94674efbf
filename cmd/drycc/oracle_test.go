package main

import (
	"context"
	"strings"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// oracle finds a broken link at domains that begin with "broken.", something
// to look at where they begin with "odd.", and all well at others.
type oracle struct{}

func (oracle) Diagnose(_ context.Context, s control.DomainSubject) platform.Diagnosis {
	d := platform.Diagnosis{App: s.App, Domain: s.Domain}
	first := platform.Link{ID: "dns", State: platform.LinkOK, Evidence: "A 192.0.2.10"}
	second := platform.Link{ID: "points", State: platform.LinkOK, Evidence: "leads to 192.0.2.10"}
	switch {
	case strings.HasPrefix(s.Domain, "broken."):
		first = platform.Link{ID: "dns", State: platform.LinkFail, Evidence: "NXDOMAIN", Reason: "the name does not exist in the DNS", Cure: "make a record A"}
		second = platform.Link{ID: "points", State: platform.LinkSkipped, Reason: "the name has no address"}
	case strings.HasPrefix(s.Domain, "odd."):
		second = platform.Link{ID: "points", State: platform.LinkWarn, Evidence: "198.51.100.7", Reason: "it cannot be seen from inside", Cure: "look from outside"}
	}
	d.Links = append(d.Links, first, second)
	return d
}
