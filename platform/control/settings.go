package control

import (
	"context"
	"maps"

	"github.com/slipway-paas/slipway/platform"
)

// FindSettings returns an app's switches.
func (c *Controller) FindSettings(ctx context.Context, actor Actor, app string) (platform.Settings, error) {
	if _, err := c.appFor(ctx, actor, app, platform.Viewer); err != nil {
		return platform.Settings{}, err
	}
	return c.store.FindSettings(ctx, app)
}

// ChangeSettings changes switches. A change without effect is a Conflict,
// taking away what is not there Unprocessable. Turning autodeploy on deploys
// the newest release that still waits.
func (c *Controller) ChangeSettings(ctx context.Context, actor Actor, app string, ch SettingsChange) (platform.Settings, error) {
	if err := c.checkSettings(ch); err != nil {
		return platform.Settings{}, err
	}
	a, unlock, err := c.hold(ctx, actor, app, platform.Member)
	if err != nil {
		return platform.Settings{}, err
	}
	defer unlock()
	s, err := c.store.FindSettings(ctx, app)
	if err != nil {
		return platform.Settings{}, err
	}
	switches := setBool(&s.Autodeploy, ch.Autodeploy)
	switches = setBool(&s.Autorollback, ch.Autorollback) || switches
	visible, err := changeVisible(&s, ch)
	if err != nil {
		return platform.Settings{}, err
	}
	if !switches && !visible {
		return platform.Settings{}, platform.Errorf(platform.Conflict, "%s changed nothing", a.Workspace)
	}
	if visible {
		if _, err := c.store.AddWork(ctx, Work{App: app, Kind: WorkApply}); err != nil {
			return platform.Settings{}, err
		}
	}
	s.Updated = c.now()
	if err := c.store.SaveSettings(ctx, s); err != nil {
		return platform.Settings{}, err
	}
	c.queue.add(app)
	return s, nil
}

func setBool(have *bool, want *bool) bool {
	if want == nil || *have == *want {
		return false
	}
	*have = *want
	return true
}

// changeVisible changes the settings that the cluster has to know of.
func changeVisible(s *platform.Settings, ch SettingsChange) (bool, error) {
	changed := setBool(&s.Routable, ch.Routable)
	s.Autoscale, s.Label = cloneMap(s.Autoscale), cloneMap(s.Label)
	for ptype, rule := range ch.Autoscale {
		was, had := s.Autoscale[ptype]
		switch {
		case rule == nil && !had:
			return false, missing(ptype, "autoscale")
		case rule == nil:
			delete(s.Autoscale, ptype)
			changed = true
		case !maps.Equal(was, rule):
			s.Autoscale[ptype] = rule
			changed = true
		}
	}
	for key, value := range ch.Label {
		was, had := s.Label[key]
		switch {
		case value == nil && !had:
			return false, missing(key, "label")
		case value == nil:
			delete(s.Label, key)
			changed = true
		case !had || was != *value:
			s.Label[key] = *value
			changed = true
		}
	}
	return changed, nil
}

func (c *Controller) checkSettings(ch SettingsChange) error {
	for ptype, rule := range ch.Autoscale {
		if err := c.checkPtype("autoscale", ptype); err != nil {
			return err
		}
		if rule == nil {
			continue
		}
		if err := platform.ValidateAutoscale(ptype, rule); err != nil {
			return err
		}
	}
	for key, value := range ch.Label {
		v := ""
		if value != nil {
			v = *value
		}
		if err := platform.ValidateLabel(key, v); err != nil {
			return err
		}
	}
	return nil
}
