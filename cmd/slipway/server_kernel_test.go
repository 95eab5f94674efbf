package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"
	"github.com/slipway-paas/slipway/bootstrap/host/hosttest"
	"github.com/stretchr/testify/assert"
)

func TestKernelDefaultsAreProtectedWhereTheyCanBeSet(t *testing.T) {
	log := logrus.New()
	log.SetOutput(io.Discard)
	h := hosttest.New()
	h.Put("/etc/sysctl.d/90-slipway.conf", "")
	h.SysctlMap["vm/overcommit_memory"], h.SysctlMap["fs/inotify/max_user_instances"] = "0", "128"
	h.Fail = func(call string) error {
		if strings.HasPrefix(call, "sysctl fs/inotify/max_user_instances=") {
			return errors.New("read-only file system")
		}
		return nil
	}
	assert.Equal(t, []string{"--protect-kernel-defaults"}, kernelArgs(h, log), "the kubelet does not mind inotify")
	assert.Equal(t, "1", h.SysctlMap["vm/overcommit_memory"])

	delete(h.Nodes, "/etc/sysctl.d/90-slipway.conf")
	h.Forget()
	h.SysctlMap["vm/overcommit_memory"] = "0"
	assert.Empty(t, kernelArgs(h, log))
	assert.Empty(t, h.Changes(), "what no ledger knows is left to the kubelet")

	h.Put("/etc/sysctl.d/90-slipway.conf", "")
	h.Fail = func(call string) error {
		if strings.HasPrefix(call, "sysctl vm/overcommit_memory=") {
			return errors.New("read-only file system")
		}
		return nil
	}
	assert.Empty(t, kernelArgs(h, log))
}
