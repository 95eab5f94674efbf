package main

import (
	"strings"

	"github.com/sirupsen/logrus"
	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/host"
)

// kernelArgs sees to the kernel settings of the install and returns what k3s is
// told of them: when all hold, the kubelet changes none by itself, and does not
// start should another program change one before. Where they cannot be set, the
// kubelet does what it can.
func kernelArgs(h host.Host, log logrus.FieldLogger) []string {
	left, err := bootstrap.SettleKernel(h)
	if err != nil {
		log.WithError(err).Warn("kernel settings could not be looked at; the kubelet sets what it needs")
		return nil
	}
	var names []string
	for _, k := range left {
		if !k.Least {
			names = append(names, strings.ReplaceAll(k.Key, "/", "."))
		}
	}
	if len(names) > 0 {
		log.WithField("settings", strings.Join(names, " ")).Warn("kernel settings cannot be set here; the kubelet goes on without")
		return nil
	}
	return []string{"--protect-kernel-defaults"}
}
