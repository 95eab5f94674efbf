package control

import "context"

// adoptCluster gives every app its work when this is not the cluster that the
// apps ran on before: after an uninstall that kept the data, or with a
// database that was moved to another machine.
func (c *Controller) adoptCluster(ctx context.Context) error {
	uid, err := c.cluster.ID(ctx)
	if err != nil {
		return err
	}
	apps, err := c.store.AdoptCluster(ctx, uid)
	if err == nil && apps > 0 {
		c.log.WithField("apps", apps).Info("this cluster is new to the platform: bringing all apps to it")
	}
	return err
}

// adoptDomain shows every app under its new name when the platform has another
// domain than before.
func (c *Controller) adoptDomain(ctx context.Context) error {
	apps, err := c.store.AdoptDomain(ctx, c.domain)
	if err == nil && apps > 0 {
		c.log.WithField("apps", apps).WithField("domain", c.domain).Info("the platform has another domain: giving all apps their new names")
	}
	return err
}
