package helm

import (
	"context"
	"fmt"

	"github.com/slipway-paas/slipway/charts"
)

// Changed lists the charts that Apply would install, or upgrade for more than
// another version of the program: their files or values differ from those of
// the release, or the release is not deployed.
func (i *Installer) Changed(ctx context.Context, list []charts.Chart, s charts.Settings) ([]string, error) {
	var names []string
	for _, c := range list {
		changed, err := i.changed(ctx, c, s)
		if err != nil {
			return nil, fmt.Errorf("chart %s: %w", c.Name, err)
		}
		if changed {
			names = append(names, c.Name)
		}
	}
	return names, nil
}

func (i *Installer) changed(ctx context.Context, c charts.Chart, s charts.Settings) (bool, error) {
	cl, err := i.connect(ctx, c.Namespace)
	if err != nil {
		return false, err
	}
	last, err := lastRecord(cl, c.Release)
	if err != nil {
		return false, err
	}
	if last == nil || last.Info.Status != "deployed" {
		return true, nil
	}
	// As the program that made the release would have packed it.
	pkg, err := load(c, s, last.Chart.AppVersion(), i.Images)
	if err != nil {
		return false, err
	}
	return pkg.digest != last.Labels[digestLabel], nil
}
