package helm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"helm.sh/helm/v3/pkg/action"
	helmrelease "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/slipway-paas/slipway/charts"
)

// digestLabel is on every release record.
const digestLabel = "slipway-digest"

// release brings the chart's objects into the cluster and returns their
// manifest, and whether anything had to be done.
func release(ctx context.Context, cl *cluster, c charts.Chart, pkg *loaded) (manifest string, changed bool, err error) {
	last, err := lastRecord(cl, c.Release)
	if err != nil {
		return "", false, err
	}
	if last != nil && last.Info.Status == helmrelease.StatusDeployed && last.Labels[digestLabel] == pkg.digest {
		whole, err := complete(cl, last)
		if err != nil {
			return "", false, err
		}
		if whole {
			return last.Manifest, false, nil
		}
	}
	if err := ensureNamespace(ctx, cl.kube, c.Namespace); err != nil {
		return "", false, err
	}
	if err := applyCRDs(ctx, cl, pkg.chart.CRDObjects()); err != nil {
		return "", false, err
	}
	rel, err := installOrUpgrade(cl, c, pkg, last)
	if ctx.Err() != nil {
		return "", false, ctx.Err() // the requests' own errors only repeat it
	}
	if err != nil {
		return "", false, err
	}
	return rel.Manifest, true, nil
}

// lastRecord is the newest revision, nil when there is none.
func lastRecord(cl *cluster, name string) (*helmrelease.Release, error) {
	last, err := cl.helm.Releases.Last(name)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("release %s: %w", name, err)
	}
	return last, nil
}

func installOrUpgrade(cl *cluster, c charts.Chart, pkg *loaded, last *helmrelease.Release) (*helmrelease.Release, error) {
	labels := map[string]string{digestLabel: pkg.digest}
	if last == nil {
		install := action.NewInstall(cl.helm)
		install.ReleaseName = c.Release
		install.Namespace = c.Namespace
		install.Labels = labels
		install.Description = describe("Installed", pkg)
		install.SkipCRDs = true // applied before, also on upgrades
		install.PostRenderer = pkg.images
		install.DisableOpenAPIValidation = true // the server checks; the schema is megabytes
		rel, err := install.Run(pkg.chart, pkg.values)
		if err != nil {
			return nil, fmt.Errorf("release %s: installing: %w", c.Release, err)
		}
		return rel, nil
	}
	if err := settle(cl, last); err != nil {
		return nil, err
	}
	upgrade := action.NewUpgrade(cl.helm)
	upgrade.Namespace = c.Namespace
	upgrade.Labels = labels
	upgrade.Description = describe("Upgraded", pkg)
	upgrade.ResetValues = true
	upgrade.SkipCRDs = true
	upgrade.DisableOpenAPIValidation = true
	upgrade.PostRenderer = pkg.images
	upgrade.MaxHistory = maxHistory
	rel, err := upgrade.Run(c.Release, pkg.chart, pkg.values)
	if err != nil {
		return nil, fmt.Errorf("release %s: upgrading revision %d: %w", c.Release, last.Version, err)
	}
	return rel, nil
}

func describe(verb string, pkg *loaded) string {
	if pkg.chart.Metadata.AppVersion == "" {
		return verb
	}
	return verb + " by slipway " + pkg.chart.Metadata.AppVersion
}

// settle closes a record that a dead process left open. Helm refuses to work
// beside a pending one; marked failed, the next upgrade takes its objects as
// they are and makes them right, those of a half-done install included.
func settle(cl *cluster, last *helmrelease.Release) error {
	switch last.Info.Status {
	case helmrelease.StatusPendingInstall, helmrelease.StatusPendingUpgrade, helmrelease.StatusPendingRollback,
		helmrelease.StatusUninstalling, helmrelease.StatusUninstalled, helmrelease.StatusUnknown:
	default:
		return nil
	}
	was := last.Info.Status
	last.SetStatus(helmrelease.StatusFailed, fmt.Sprintf("Interrupted while %s", was))
	if err := cl.helm.Releases.Update(last); err != nil {
		return fmt.Errorf("release %s: closing revision %d, %s: %w", last.Name, last.Version, was, err)
	}
	return nil
}

// complete reports whether every object of the release is still there. It does
// not compare them: what somebody changed by hand stays until the next upgrade.
func complete(cl *cluster, rel *helmrelease.Release) (bool, error) {
	objects, err := cl.helm.KubeClient.Build(strings.NewReader(rel.Manifest), false)
	if meta.IsNoMatchError(err) || err != nil && strings.Contains(err.Error(), "no matches for kind") {
		cl.refresh()
		return false, nil // a CRD is gone, and what it defined with it
	}
	if err != nil {
		return false, fmt.Errorf("release %s: its objects: %w", rel.Name, err)
	}
	for _, o := range objects {
		err := o.Get()
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("release %s: %s %s: %w", rel.Name, o.Mapping.GroupVersionKind.Kind, o.Name, err)
		}
	}
	return true, nil
}
