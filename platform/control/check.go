package control

import (
	"github.com/slipway-paas/slipway/platform"
)

// checkChange checks all that a config change says by itself, before what is
// there already is looked at.
func (c *Controller) checkChange(ch ConfigChange) error {
	for _, v := range ch.Values {
		if err := checkValue(v); err != nil {
			return err
		}
	}
	for ptype, groups := range ch.ValuesRefs {
		if err := platform.ValidatePtype("values_refs", ptype); err != nil {
			return err
		}
		for _, g := range groups {
			if err := platform.ValidateConfigKey(g); err != nil {
				return err
			}
		}
	}
	if err := c.checkPlain("limits", ch.Limits, c.plans.ValidateLimit); err != nil {
		return err
	}
	if err := c.checkPlain("termination_grace_period", ch.TerminationGrace, platform.ValidateGrace); err != nil {
		return err
	}
	if err := c.checkFields("tags", ch.Tags, platform.ValidateTag); err != nil {
		return err
	}
	if err := c.checkFields("registry", ch.Registry, platform.ValidateRegistry); err != nil {
		return err
	}
	return c.checkHandlers(ch)
}

func checkValue(v ValueChange) error {
	if (v.Group == "") == (v.Ptype == "") {
		return platform.FieldErrorf("values", "Each value needs a name, a value, and either a group or a ptype")
	}
	if err := platform.ValidateConfigKey(v.Name); err != nil {
		return err
	}
	if v.Group != "" {
		if err := platform.ValidateConfigKey(v.Group); err != nil {
			return err
		}
	} else if err := platform.ValidatePtype("values", v.Ptype); err != nil {
		return err
	}
	if v.Value == nil {
		return nil
	}
	return platform.ValidateConfigValue(v.Name, *v.Value)
}

func (c *Controller) checkPtype(field, ptype string) error {
	if err := platform.ValidatePtype(field, ptype); err != nil {
		return err
	}
	return c.reserved.Check(field, ptype)
}

func (c *Controller) checkPlain(field string, ch map[string]*string, valid func(string) error) error {
	for ptype, value := range ch {
		if err := c.checkPtype(field, ptype); err != nil {
			return err
		}
		if value == nil {
			continue
		}
		if err := valid(*value); err != nil {
			return err
		}
	}
	return nil
}

func (c *Controller) checkFields(field string, ch map[string]map[string]*string, valid func(key, value string) error) error {
	for ptype, fields := range ch {
		if err := c.checkPtype(field, ptype); err != nil {
			return err
		}
		for key, value := range fields {
			if value == nil {
				continue
			}
			if err := valid(key, *value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Controller) checkHandlers(ch ConfigChange) error {
	for ptype, probes := range ch.Healthcheck {
		if err := c.checkPtype("healthcheck", ptype); err != nil {
			return err
		}
		for name, value := range probes {
			if value == nil {
				continue
			}
			probe, ok := value.(map[string]any)
			if !ok {
				return platform.FieldErrorf("healthcheck", "%s has to be an object", name)
			}
			if err := platform.ValidateProbe(name, probe); err != nil {
				return err
			}
		}
	}
	for _, hooks := range ch.Lifecycle {
		for name, value := range hooks {
			if value == nil {
				continue
			}
			if err := platform.ValidateLifecycle(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}
