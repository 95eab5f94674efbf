package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// runSteps carries out the run steps of the process types that d deploys, one
// after the other, before any of them is rolled out. The name of a step's job
// says release, attempt and process type, so that a step that was begun before
// the program was killed is waited for and not begun again. A release has an
// attempt for each time that its deploy was asked for.
func (c *Controller) runSteps(ctx context.Context, d Deployment) error {
	for _, deployed := range d.Processes {
		step, err := d.Build.RunStep(deployed.Ptype)
		if err != nil {
			return err
		}
		if step == nil {
			continue
		}
		before := d
		p, err := c.once(ctx, &before, deployed.Ptype, step.Launch, nil)
		if err != nil {
			return err
		}
		name, err := c.stepName(ctx, d.Release, deployed.Ptype)
		if err != nil {
			return err
		}
		j := Job{
			Name: name, For: deployed.Ptype, Process: p, Timeout: time.Duration(step.Timeout) * time.Second,
			Expires: platform.MaxRunExpires * time.Second,
		}
		c.log.WithField("app", d.App.ID).WithField("job", j.Name).Info("running the step of a release")
		if err := c.tell(ctx, d.App.ID, "release", eventStep, map[string]any{"version": d.Release.Version, "ptype": deployed.Ptype}); err != nil {
			return err
		}
		if err := c.cluster.RunStep(ctx, before, j); err != nil {
			return err
		}
	}
	return nil
}

// stepName says release, attempt and process type.
func (c *Controller) stepName(ctx context.Context, r platform.Release, ptype string) (string, error) {
	r, err := c.store.FindRelease(ctx, r.App, r.Version) // with its conditions
	if err != nil {
		return "", err
	}
	if len(ptype) > maxStepPtype {
		sum := sha256.Sum256([]byte(ptype))
		ptype = strings.TrimRight(ptype[:maxStepPtype-9], "-") + "-" + hex.EncodeToString(sum[:4])
	}
	return jobName(r.App, fmt.Sprintf("%s-v%d-%d-%s", platform.RunPtype, r.Version, len(r.Conditions)+1, ptype)), nil
}

// maxStepPtype is how much of a process type goes into the name of a job.
const maxStepPtype = 24

// endSteps lets go of the jobs of steps once the outcome is recorded. When
// that does not work they stay until the next release.
func (c *Controller) endSteps(ctx context.Context, d Deployment) {
	for _, p := range d.Processes {
		step, err := d.Build.RunStep(p.Ptype)
		if step == nil || err != nil {
			continue
		}
		if err := c.cluster.EndSteps(ctx, d.App.ID); err != nil && ctx.Err() == nil {
			c.log.WithField("app", d.App.ID).WithError(err).Warn("letting go of the jobs of a release")
		}
		return
	}
}
