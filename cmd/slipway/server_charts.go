package main

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/helm"
	"github.com/slipway-paas/slipway/bootstrap/k3s"
	"github.com/slipway-paas/slipway/bootstrap/lifecycle"
	"github.com/slipway-paas/slipway/bootstrap/secrets"
	"github.com/slipway-paas/slipway/charts"
)

const (
	chartRetryFirst = 5 * time.Second
	chartRetryMost  = time.Minute
	// chartLook is how often the installed charts are looked at, so that the
	// board tells of pods that fail later.
	chartLook = 30 * time.Second
)

// runCharts brings the charts to what this binary carries and this cluster has,
// and keeps an eye on them, until ctx ends. Failures are shown, logged and tried
// again; nodes that come and go change what the charts hold.
func (s *server) runCharts(ctx context.Context) error {
	retry := chartRetryFirst
	for {
		told := s.nodes.told()
		err := s.applyCharts(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			retry = chartRetryFirst
			s.watchCharts(ctx, told)
			if ctx.Err() != nil {
				return nil
			}
			s.log.Info("charts: the nodes that came or went change their values")
			continue
		}
		s.log.WithError(err).WithField("retry", retry.String()).Error("charts")
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retry):
			retry = min(2*retry, chartRetryMost)
		}
	}
}

func (s *server) applyCharts(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ready:
	}
	if err := s.writeSecrets(ctx); err != nil {
		return err
	}
	return s.charts.ApplyAll(ctx, charts.List(), s.chartSettings(), s.chartEvent)
}

// podPatience bounds the wait for the kubelet's fresh view of old pods: one
// that hangs must not keep the platform from being repaired.
const podPatience = 2 * time.Minute

func (s *server) waitPods(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, podPatience)
	defer cancel()
	err := k3s.WaitPods(bounded, s.paths.Kubeconfig, s.nodeName, func(reason string) {
		s.board.Set(lineKubernetes, lifecycle.Working, reason)
	})
	if err != nil && ctx.Err() == nil {
		s.log.WithError(err).Warn("going on with pods the kubelet has not looked at")
		return nil
	}
	return err
}

// chartEvent puts a chart's progress on the board.
func (s *server) chartEvent(e helm.Event) {
	switch e.Phase {
	case helm.Ready:
		s.board.Set(e.Chart, lifecycle.Ready, "")
	case helm.Waiting:
		s.board.Set(e.Chart, lifecycle.Working, e.Text)
	default:
		s.board.Set(e.Chart, lifecycle.Working, string(e.Phase))
	}
}

// watchCharts shows on the board whether the charts' pods are still ready, until
// ctx ends or the charts are to be told of other nodes than they were.
func (s *server) watchCharts(ctx context.Context, told string) {
	tick := time.NewTicker(chartLook)
	defer tick.Stop()
	for {
		_, changed := s.nodes.get()
		if s.nodes.told() != told {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
			continue
		case <-tick.C:
		}
		releases, err := s.charts.List(ctx, charts.List())
		if err != nil {
			if ctx.Err() == nil {
				s.log.WithError(err).Warn("charts: looking")
			}
			continue
		}
		for _, r := range releases {
			s.showRelease(r)
		}
	}
}

func (s *server) showRelease(r helm.Release) {
	switch {
	case r.OK():
		s.board.Set(r.Chart, lifecycle.Ready, "")
	case len(r.Unready) > 0:
		s.board.Set(r.Chart, lifecycle.Failed, r.Unready[0].String())
	default:
		s.board.Set(r.Chart, lifecycle.Failed, "release is "+r.Status)
	}
}

func (s *server) chartSettings() charts.Settings {
	c := charts.Defaults()
	c.Domain, c.FormerDomains = s.settings.Domain, s.settings.FormerDomains
	nodes, _ := s.nodes.get()
	c.NodeIP = s.address // the node's own record is from before a move until the kubelet has looked
	c.Nodes = max(len(nodes), 1)
	c.SharedRoot = sharedRoot("/proc/self/mountinfo")
	c.DNSIP = s.settings.ClusterDNS().String()
	c.RegistryIP = s.settings.RegistryIP().String()
	c.GatewayIP, c.GitIP = s.settings.GatewayIP().String(), s.settings.GitIP().String()
	c.DataDir = s.settings.DataDir
	c.ControllerAddress, c.ControllerPort = s.address, controllerPort
	c.ControllerMetrics = "/metrics"
	for _, p := range s.settings.GatewayPorts {
		c.GatewayPorts = append(c.GatewayPorts, charts.GatewayPort{Port: p.Port, Protocol: p.Protocol})
	}
	c.AccessLog, c.HTTP3 = s.settings.AccessLog, s.settings.HTTP3
	c.StorageSize, c.RegistrySize, c.MetricsSize = s.settings.StorageVolume.Size, s.settings.RegistryVolume.Size, s.settings.MetricsVolume.Size
	c.StorageClass, c.RegistryClass, c.MetricsClass = s.settings.StorageVolume.Class, s.settings.RegistryVolume.Class, s.settings.MetricsVolume.Class
	c.Builder = s.builderSettings()
	return c
}

// writeSecrets writes what the charts name but do not hold: passwords and keys
// never become Helm values, which Helm keeps readable.
func (s *server) writeSecrets(ctx context.Context) error {
	names, password := charts.Defaults().Secrets, s.settings.AdminPassword.Reveal()
	old, err := s.charts.ReadSecret(ctx, charts.PlatformNamespace, names.Registry)
	if err != nil {
		return err
	}
	building, err := s.builderPassword()
	if err != nil {
		return err
	}
	users := map[string]string{s.settings.AdminUsername: password, secrets.NodeUser: s.secrets.RegistryNode, secrets.BuilderUser: building}
	file, err := secrets.Htpasswd(string(old["htpasswd"]), users, []string{s.settings.AdminUsername, secrets.NodeUser, secrets.BuilderUser})
	if err != nil {
		return err
	}
	for name, data := range map[string]map[string][]byte{
		names.Registry: {"htpasswd": []byte(file), "httpSecret": []byte(s.secrets.RegistryHTTP)},
		names.Storage:  {"accessKey": []byte(s.secrets.StorageAccessKey), "secretKey": []byte(s.secrets.StorageSecretKey)},
		names.Metrics:  {"username": []byte(s.settings.AdminUsername), "password": []byte(password)},
	} {
		if _, err := s.charts.EnsureSecret(ctx, helm.Secret{Namespace: charts.PlatformNamespace, Name: name, Data: data}); err != nil {
			return err
		}
	}
	return nil
}

// sharedRoot reports whether the root mount hands later mounts on. Only then
// may a pod ask to see them.
func sharedRoot(mountinfo string) bool {
	data, err := os.ReadFile(mountinfo)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		// id parent major:minor root point options [tags…] - type source options
		f := strings.Fields(line)
		if len(f) < 7 || f[4] != "/" {
			continue
		}
		for _, tag := range f[6:] {
			if tag == "-" {
				break
			}
			if strings.HasPrefix(tag, "shared:") {
				return true
			}
		}
		return false
	}
	return false
}
