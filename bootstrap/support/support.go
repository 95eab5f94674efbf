// Package support makes the bundle that people send along with a question: one
// tar.gz of what the host and the platform tell of themselves.
//
// Secrets are left out by what a thing is, never by what it looks like: settings
// are those that config.yaml holds, which has no secrets; files that hold keys,
// Secrets of Kubernetes and the environment of pods and processes are not read
// at all; of processes there are names, not arguments.
package support

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Sources are what a bundle is made from.
type Sources struct {
	Host     host.Host
	Settings bootstrap.Settings
	Service  host.Service
	Kubectl  string // path of the carried kubectl
	Version  any    // what "slipway version" tells
	Status   any    // what the running server tells; nil when it does not answer
	Report   doctor.Report
	Now      time.Time
}

// item is one file of a bundle.
type item struct {
	name string
	make func(ctx context.Context) ([]byte, error)
}

// itemTime bounds what is asked of the cluster, which may be what is broken.
const itemTime = 20 * time.Second

// logBytes is how much of the end of each log is taken.
const logBytes = 4 << 20

// Write writes the bundle and tells note what it collects. What cannot be
// collected is in the bundle as an error, under the name of the thing with
// ".error"; the error returned is that nothing can be written.
func Write(ctx context.Context, w io.Writer, s Sources, note func(string)) error {
	zipped := gzip.NewWriter(w)
	archive := tar.NewWriter(zipped)
	for _, it := range s.items() {
		if err := ctx.Err(); err != nil {
			return err
		}
		note(it.name)
		bounded, cancel := context.WithTimeout(ctx, itemTime)
		data, err := it.make(bounded)
		cancel()
		name := it.name
		if err != nil {
			name, data = name+".error", append(data, []byte(err.Error()+"\n")...)
		}
		header := &tar.Header{Name: "slipway-support/" + name, Mode: 0o600, Size: int64(len(data)), ModTime: s.Now, Typeflag: tar.TypeReg}
		if err := archive.WriteHeader(header); err != nil {
			return fmt.Errorf("support bundle: %w", err)
		}
		if _, err := archive.Write(data); err != nil {
			return fmt.Errorf("support bundle: %w", err)
		}
	}
	if err := errors.Join(archive.Close(), zipped.Close()); err != nil {
		return fmt.Errorf("support bundle: %w", err)
	}
	return nil
}

func (s Sources) items() []item {
	p := bootstrap.NewPaths(s.Settings)
	items := []item{
		{"version.json", asJSON(s.Version)},
		{"status.json", asJSON(s.Status)},
		{"doctor.json", asJSON(s.Report)},
		{"doctor.txt", func(context.Context) ([]byte, error) {
			var b bytes.Buffer
			err := s.Report.Write(&b)
			return b.Bytes(), err
		}},
		{"settings.yaml", func(context.Context) ([]byte, error) { return s.Settings.ConfigFile() }},
		{"ledger.jsonl", s.file(filepath.Join(p.Ledger, "changes.jsonl"))},
		{"host/facts.json", func(ctx context.Context) ([]byte, error) {
			facts, err := s.Host.Facts()
			if err != nil {
				return nil, err
			}
			return asJSON(facts)(ctx)
		}},
		{"host/disks.txt", s.disks(p)},
		{"host/mounts.txt", s.mounts},
		{"host/processes.txt", s.processes},
		{"host/network.txt", s.network},
		{"host/firewall.txt", s.firewall},
		{"log/slipway.txt", s.log(p)},
		{"log/containerd.txt", s.end(filepath.Join(s.Settings.DataDir, "agent", "containerd", "containerd.log"))},
	}
	for _, name := range []string{"meminfo", "loadavg", "uptime", "net/route", "sys/kernel/osrelease"} {
		items = append(items, item{"host/proc/" + strings.ReplaceAll(name, "/", "-"), s.file("/proc/" + name)})
	}
	return append(items, s.cluster(p)...)
}

// cluster lists objects in forms that have no environment and no contents of
// Secrets and ConfigMaps.
func (s Sources) cluster(p bootstrap.Paths) []item {
	kubeconfig := p.Kubeconfig
	if s.Settings.Role == bootstrap.RoleAgent {
		kubeconfig = filepath.Join(s.Settings.DataDir, "agent", "kubelet.kubeconfig")
	}
	var items []item
	for _, q := range []struct{ name, args string }{
		{"nodes", "get nodes -o wide"},
		{"nodes-described", "describe nodes"},
		{"pods", "get pods -A -o wide"},
		{"workloads", "get deployments,statefulsets,daemonsets,jobs,cronjobs -A -o wide"},
		{"services", "get services,endpointslices -A -o wide"},
		{"routes", "get gateways,httproutes,tcproutes,tlsroutes -A"},
		{"volumes", "get persistentvolumeclaims,persistentvolumes -A -o wide"},
		{"events", "get events -A --sort-by=.lastTimestamp"},
		{"leases", "get leases -A"},
		{"usage", "top pods -A"},
	} {
		items = append(items, item{"cluster/" + q.name + ".txt", func(ctx context.Context) ([]byte, error) {
			out, err := s.Host.Run(ctx, host.Command{Name: s.Kubectl, Args: append(strings.Fields(q.args), "--request-timeout=15s"),
				Env: []string{"KUBECONFIG=" + kubeconfig, "KUBECACHEDIR=" + filepath.Join(p.RunDir, "kubectl")}})
			return out.Stdout, err
		}})
	}
	return items
}

func asJSON(v any) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return json.MarshalIndent(v, "", "  ") }
}

func (s Sources) file(path string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return s.Host.ReadFile(path) }
}

// end is the last part of a file, from a whole line on.
func (s Sources) end(path string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		data, err := s.Host.ReadFile(path)
		return lastLines(data), err
	}
}

func lastLines(data []byte) []byte {
	if len(data) <= logBytes {
		return data
	}
	data = data[len(data)-logBytes:]
	return data[bytes.IndexByte(data, '\n')+1:]
}
