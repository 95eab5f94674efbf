package helm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/slipway-paas/slipway/charts"
)

// Release is the newest record of one chart.
type Release struct {
	Chart      string
	Name       string
	Namespace  string
	Revision   int    // 0: not installed
	Status     string // Helm's word: "deployed", "failed", "pending-upgrade"…; "absent"
	AppVersion string
	Updated    time.Time
	Unready    []Unready // empty: all its pods are ready
}

// Absent is the status of a chart without a record.
const Absent = "absent"

// OK reports a release that is deployed with all its pods ready.
func (r Release) OK() bool { return r.Status == "deployed" && len(r.Unready) == 0 }

// List is the state of each chart, in the order given, as it is now.
func (i *Installer) List(ctx context.Context, list []charts.Chart) ([]Release, error) {
	var releases []Release
	for _, c := range list {
		r, err := i.find(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("chart %s: %w", c.Name, err)
		}
		releases = append(releases, r)
	}
	return releases, nil
}

func (i *Installer) find(ctx context.Context, c charts.Chart) (Release, error) {
	r := Release{Chart: c.Name, Name: c.Release, Namespace: c.Namespace, Status: Absent}
	cl, err := i.connect(ctx, c.Namespace)
	if err != nil {
		return r, err
	}
	last, err := lastRecord(cl, c.Release)
	if err != nil || last == nil {
		return r, err
	}
	r.Revision = last.Version
	r.Status = last.Info.Status.String()
	r.AppVersion = last.Chart.AppVersion()
	r.Updated = last.Info.LastDeployed.Time
	items, err := workloads(last.Manifest, c.Namespace)
	if err != nil {
		return r, err
	}
	w := &waiter{kube: cl.kube, workloads: items}
	r.Unready, err = w.check(ctx)
	return r, err
}

// Uninstall removes the chart's objects and records. Claims with data, CRDs and
// the namespace stay. Removing what is not there is no error.
func (i *Installer) Uninstall(ctx context.Context, c charts.Chart) error {
	unlock := i.lock(c.Release)
	defer unlock()
	cl, err := i.connect(ctx, c.Namespace)
	if err != nil {
		return fmt.Errorf("chart %s: %w", c.Name, err)
	}
	last, err := lastRecord(cl, c.Release)
	if err != nil {
		return fmt.Errorf("chart %s: %w", c.Name, err)
	}
	if last == nil {
		return nil
	}
	if err := settle(cl, last); err != nil {
		return fmt.Errorf("chart %s: %w", c.Name, err)
	}
	uninstall := action.NewUninstall(cl.helm)
	uninstall.IgnoreNotFound = true
	uninstall.DisableHooks = true
	if _, err := uninstall.Run(c.Release); err != nil && !errors.Is(err, driver.ErrReleaseNotFound) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("chart %s: removing release %s: %w", c.Name, c.Release, err)
	}
	return nil
}
