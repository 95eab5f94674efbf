//go:build e2e

package upgrade

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/store"
	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

// Where the test puts programs on its host.
const (
	oldProgram = "/var/tmp/slipway-old"
	newProgram = "/var/tmp/slipway-new"
)

// TestUpgrade is an installation of the frozen version that becomes the present
// one while its apps are asked, and what becomes of upgrades that go wrong.
func TestUpgrade(t *testing.T) {
	old, present := frozen(t), house.Program(t)
	s := newSite(t, "upa", "172.31.77.40")
	before := house.Photograph(t, s.m)

	house.Must(t, "install the frozen version", func(t *testing.T) {
		s.put(t, old, oldProgram)
		s.run(t, 0, oldProgram, "install", "--yes")
		s.well(t)
		s.client = house.Login(t, s.m)
	})
	house.Must(t, "deploy an app with config, domain and volume", s.deployAll)
	was := s.look(t)
	house.Must(t, "the plan", func(t *testing.T) { s.plan(t, present) })
	house.Must(t, "upgrade under load", s.upgrade)
	house.Must(t, "all is as before", func(t *testing.T) {
		assert.Equal(t, was.releases, s.look(t).releases)
		assert.Equal(t, was.pods, s.look(t).pods, "no pod of an app was touched")
		s.uses(t)
	})
	house.Must(t, "a broken chart is taken back", func(t *testing.T) { s.takesBack(t, broken(t, present)) })
	for _, phase := range phases() {
		house.Must(t, "killed while "+phase, func(t *testing.T) { s.killedIn(t, phase, present) })
	}
	house.Must(t, "a power cut while it is applied", func(t *testing.T) { s.powerCut(t, present) })
	house.Must(t, "roll back what was committed", s.rollBack)
	house.Must(t, "uninstall", func(t *testing.T) {
		s.run(t, 0, "rm", "-f", oldProgram, newProgram)
		s.run(t, 0, appliance.Binary, "uninstall", "--yes")
		house.Unchanged(t, s.m, before)
	})
}

const app = "market"

// deployAll makes one of each kind of thing that has to survive.
func (s *site) deployAll(t *testing.T) {
	ctx := t.Context()
	program, err := appliance.BuildProbe(ctx, t.TempDir())
	require.NoError(t, err)
	image, err := appliance.ProbeImage(program, "v1")
	require.NoError(t, err)
	username, password, err := s.m.Credentials(ctx)
	require.NoError(t, err)
	_, err = s.client.CreateApp(ctx, app, "")
	require.NoError(t, err)
	ref, err := s.m.Push(ctx, &http.Client{Transport: s.m.Transport()}, image, username+"/"+app, "v1", username, password)
	require.NoError(t, err)
	_, err = s.client.Deployed(ctx, app, ref, deployLimit)
	require.NoError(t, err)
	after, err := s.client.Latest(ctx, app)
	require.NoError(t, err)
	require.NoError(t, s.client.SetConfig(ctx, app, map[string]string{"GREETING": "moin"}))
	_, err = s.client.WaitRelease(ctx, app, after.Version, deployLimit)
	require.NoError(t, err)
	_, err = s.client.Call(ctx, http.MethodPost, "/apps/"+app+"/domains/", map[string]string{"domain": "market.example.com", "ptype": "web"}, nil)
	require.NoError(t, err)
	_, err = s.client.Call(ctx, http.MethodPost, "/apps/"+app+"/volumes/", map[string]string{"name": "data", "size": "1G"}, nil)
	require.NoError(t, err)
	_, err = s.client.Call(ctx, http.MethodPatch, "/apps/"+app+"/volumes/data/path/", map[string]any{"path": map[string]string{"web": "/data"}}, nil)
	require.NoError(t, err)
	// Mounting makes no release; the folder comes with the first pod that mounts it.
	var folders []string
	require.NoError(t, appliance.Eventually(ctx, deployLimit, func(context.Context) error {
		folders, err = filepath.Glob(s.file("/var/lib/rancher/k3s/storage/" + app + "_data"))
		if err == nil && len(folders) != 1 {
			err = fmt.Errorf("%d folders of volumes", len(folders))
		}
		return err
	}))
	require.NoError(t, os.WriteFile(filepath.Join(folders[0], "kept"), []byte("rows of the market"), 0o644))
	_, err = s.client.WaitPods(ctx, app, 1, deployLimit)
	require.NoError(t, err)
	s.uses(t)
}

// uses does what users do: asks the app by both names, and reads its volume.
func (s *site) uses(t *testing.T) {
	t.Helper()
	for _, url := range []string{s.m.URL(app, "/"), "http://market.example.com/"} {
		require.NoError(t, appliance.Eventually(t.Context(), 30*time.Second, func(ctx context.Context) error {
			status, body, err := s.m.Get(ctx, &http.Client{Transport: s.m.Transport(), Timeout: 5 * time.Second}, url)
			if err == nil && (status != http.StatusOK || !strings.Contains(body, "moin")) {
				err = fmt.Errorf("%s: %d %s", url, status, body)
			}
			return err
		}))
	}
	files, err := filepath.Glob(s.file("/var/lib/rancher/k3s/storage/" + app + "_data/kept"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	data, err := os.ReadFile(files[0])
	require.NoError(t, err)
	assert.Equal(t, "rows of the market", string(data))
}

// seen is what has to be equal before and after.
type seen struct {
	releases []int
	pods     string // name, UID and restarts of the app's
	database string // of the controller, whole
	objects  string // of the cluster: what users and charts made
}

func (s *site) look(t *testing.T) seen {
	t.Helper()
	releases, err := s.client.Releases(t.Context(), app)
	require.NoError(t, err, "the token still holds")
	return seen{
		releases: appliance.Versions(releases), database: s.database(t), objects: s.objects(t),
		pods: s.kubectl(t, "get", "pods", "-n", app, "-o",
			`jsonpath={range .items[*]}{.metadata.name} {.metadata.uid} {.status.containerStatuses[0].restartCount}{"\n"}{end}`),
	}
}

func (s *site) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.m.Slipway(t.Context(), append([]string{"kubectl"}, args...)...)
	require.NoError(t, err)
	return out
}

// database dumps the controller's, table by table, but for the one that says
// since when which server works: every start changes it.
func (s *site) database(t *testing.T) string {
	t.Helper()
	// Not by way of /proc/PID/root: SQLite resolves that link to this machine's root.
	snapshot, err := store.OpenSnapshot(t.Context(), filepath.Join(s.host.Data(), "slipway/controller/slipway.db"))
	require.NoError(t, err)
	var dump bytes.Buffer
	_, err = snapshot.Dump(t.Context(), &dump)
	require.NoError(t, errors.Join(err, snapshot.Close()))
	var kept strings.Builder
	started := false
	for line := range strings.Lines(dump.String()) {
		if strings.HasPrefix(line, "{") { // a row begins with a bracket
			started = strings.Contains(line, `"leader"`)
		}
		if !started {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// objects lists what the cluster holds, without what it writes by itself.
func (s *site) objects(t *testing.T) string {
	t.Helper()
	kinds := "namespaces,deployments,daemonsets,services,configmaps,secrets,gateways,httproutes,persistentvolumeclaims,clusterroles,customresourcedefinitions"
	var list struct{ Items []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(s.kubectl(t, "get", kinds, "-A", "-o", "json")), &list))
	var b strings.Builder
	for _, o := range list.Items {
		meta := o["metadata"].(map[string]any)
		for _, own := range []string{"resourceVersion", "managedFields", "generation", "annotations"} {
			delete(meta, own)
		}
		delete(o, "status")
		line, err := json.Marshal(o)
		require.NoError(t, err)
		b.Write(append(line, '\n'))
	}
	return b.String()
}

// plan asks for it, which changes nothing.
func (s *site) plan(t *testing.T, present string) {
	s.put(t, present, newProgram)
	before := s.database(t)
	r := s.run(t, 0, newProgram, "upgrade", "--check")
	t.Log(r.Stdout)
	for _, part := range []string{s.version(t) + " ->", "Kubernetes", "Charts that change", "Database migrations", "Images added", "Disk:", "Nothing is in the way"} {
		assert.Contains(t, r.Stdout, part)
	}
	assert.Equal(t, before, s.database(t))
	_, err := os.Stat(s.file("/var/lib/slipway/upgrade"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// upgrade has the present version take over, while visitors come.
func (s *site) upgrade(t *testing.T) {
	stop := appliance.Prober{URL: s.m.URL(app, "/"), PerSecond: 100, Machine: s.m}.Start(t.Context())
	r := s.run(t, 0, newProgram, "upgrade")
	tally := stop()
	t.Logf("upgraded in %.1fs\n%s%s", r.Took.Seconds(), r.Stderr, r.Stdout)
	t.Logf("prober: %s", tally)
	assert.Zero(t, tally.Failed, "%s", strings.Join(tally.Reasons, "\n"))
	s.well(t)
	assert.Contains(t, r.Stdout, "Upgraded from")
}
