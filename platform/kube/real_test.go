//go:build e2e

package kube

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// TestRealCluster walks one app through its life on the cluster of KUBECONFIG,
// which has the gateway of the product at SLIPWAY_GATEWAY (127.0.0.1:80).
// SLIPWAY_HELLO_IMAGE and SLIPWAY_BUSYBOX_IMAGE are references of images on
// its nodes. The steps build on each other.
func TestRealCluster(t *testing.T) {
	t.Parallel()
	newReal(t, "kubetest").walk(t, []realStep{
		{"first deploy", (*real).firstDeploy},
		{"config change", (*real).configChange},
		{"deploys in a row", (*real).deploys},
		{"scale", (*real).scale},
		{"restart", (*real).restart},
		{"routing off", (*real).routingOff},
		{"delete", (*real).delete},
	})
}

// TestRealFailures: what cannot come up, while the release before serves. It
// needs what TestRealCluster does.
func TestRealFailures(t *testing.T) {
	t.Parallel()
	newReal(t, "kubetest-fails").walk(t, []realStep{
		{"first deploy", (*real).firstDeploy},
		{"bad image", (*real).badImage},
		{"crash", (*real).crash},
		{"no start", (*real).noStart},
		{"too large", (*real).tooLarge},
		{"deaf", (*real).deaf},
		{"after the failures", (*real).afterwards},
	})
}

type realStep struct {
	name string
	run  func(*real, *testing.T)
}

func (r *real) walk(t *testing.T, steps []realStep) {
	for _, step := range steps {
		if !t.Run(step.name, func(t *testing.T) { step.run(r, t) }) {
			t.FailNow()
		}
	}
}

type real struct {
	c       *Cluster
	image   string
	gateway string
	app     platform.App
	version int
}

func newReal(t *testing.T, name string) *real {
	for _, name := range []string{"KUBECONFIG", "SLIPWAY_HELLO_IMAGE", "SLIPWAY_BUSYBOX_IMAGE"} {
		require.NotEmpty(t, os.Getenv(name), "%s has to be set", name)
	}
	r := realApp(t, name, "kubetest", usual)
	if r.gateway = os.Getenv("SLIPWAY_GATEWAY"); r.gateway == "" {
		r.gateway = "127.0.0.1:80"
	}
	return r
}

// release is the next version; change shapes its one process.
func (r *real) release(change func(*control.Process)) control.Deployment {
	r.version++
	d := control.Deployment{
		App:      r.app,
		Release:  platform.Release{App: r.app.ID, Version: r.version, Summary: "kubetest"},
		Exposure: r.shown(true),
		Processes: []control.Process{{
			Ptype: "web", Replicas: 1, Image: r.image, Port: 5000, Routed: true, Grace: 30 * time.Second, Timeout: time.Minute,
			Env:  map[string]string{"PORT": "5000", "DRYCC_APP": r.app.ID, "WORKFLOW_RELEASE": versionName(r.version)},
			Plan: control.Plan{ID: "test", CPULimit: 500, CPURequest: 10, MemoryLimit: 64 << 20, MemoryRequest: 16 << 20},
		}},
	}
	change(&d.Processes[0])
	return d
}

// shown is the app's own Service and, when routed, the route of its own name.
func (r *real) shown(routed bool) control.Exposure {
	x := control.Exposure{
		App: r.app, HTTPSPort: 443,
		Services: []control.ExposedService{{Name: r.app.ID, Ptype: "web", Ports: []platform.ServicePort{{Port: 80, Protocol: "TCP"}}}},
	}
	if routed {
		x.Routes = []control.ExposedRoute{{Name: r.app.ID, Kind: platform.HTTPRoute, HTTP: true, HTTPS: true,
			Hosts: []string{r.app.ID + ".slipway.localhost"},
			Rules: []platform.RouteRule{{Backends: []platform.Backend{{Service: r.app.ID, Port: 80}}}}}}
	}
	return x
}

func same(*control.Process) {}

func (r *real) get() (string, error) {
	req, err := http.NewRequest(http.MethodGet, "http://"+r.gateway+"/", nil)
	if err != nil {
		return "", err
	}
	req.Host = r.app.ID + ".slipway.localhost"
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d", res.StatusCode)
	}
	return string(body), nil
}

// answers waits until the gateway, which may be two seconds behind, serves
// the text.
func (r *real) answers(t *testing.T, text string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		body, err := r.get()
		require.NoError(c, err)
		assert.Contains(c, body, text)
	}, 20*time.Second, 50*time.Millisecond)
}

// probed runs f while 50 requests a second go through the gateway, none of
// which may fail, and some more after it.
func (r *real) probed(t *testing.T, f func()) {
	t.Helper()
	stop := make(chan struct{})
	var asking sync.WaitGroup
	var mu sync.Mutex
	var failures []string
	sent := 0
	asking.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			asking.Go(func() {
				_, err := r.get()
				mu.Lock()
				defer mu.Unlock()
				if sent++; err != nil {
					failures = append(failures, time.Now().Format("05.000 ")+err.Error())
				}
			})
		}
	})
	f()
	// The old pods drain for a while after a deploy has returned.
	require.Eventually(t, func() bool { return r.terminating(t) == 0 }, time.Minute, 200*time.Millisecond)
	close(stop)
	asking.Wait()
	t.Logf("%d requests", sent)
	assert.Empty(t, failures)
}

// terminating counts ending pods; -1 when that cannot be known.
func (r *real) terminating(t *testing.T) (n int) {
	pods, err := r.c.Pods(t.Context(), r.app.ID)
	if err != nil {
		t.Log(err)
		return -1
	}
	for _, p := range pods {
		if p.State == stateTerminating {
			n++
		}
	}
	return n
}

// states of the pods that are not ending, in one line.
func (r *real) states(t *testing.T) string {
	pods, err := r.c.Pods(t.Context(), r.app.ID)
	if err != nil {
		return err.Error()
	}
	var states []string
	for _, p := range pods {
		if p.State != stateTerminating {
			states = append(states, p.State)
		}
	}
	return strings.Join(states, " ")
}

func (r *real) deployment(t *testing.T) *appsv1.Deployment {
	d, err := r.c.core.AppsV1().Deployments(r.app.ID).Get(t.Context(), r.app.ID+"-web", metav1.GetOptions{})
	require.NoError(t, err)
	return d
}

func (r *real) apply(t *testing.T, d control.Deployment) {
	t.Helper()
	begin := time.Now()
	require.NoError(t, r.c.Apply(t.Context(), d))
	t.Logf("v%d applied in %s", d.Release.Version, time.Since(begin).Round(time.Millisecond))
}

func (r *real) firstDeploy(t *testing.T) {
	r.apply(t, r.release(same))
	r.answers(t, versionName(r.version))
	assert.Equal(t, "up", r.states(t))
}

func (r *real) configChange(t *testing.T) {
	r.probed(t, func() {
		r.apply(t, r.release(func(p *control.Process) { p.Env["POWERED_BY"] = "the test" }))
		r.answers(t, "the test")
	})
	secrets, err := r.c.core.CoreV1().Secrets(r.app.ID).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Len(t, secrets.Items, 1, "those of older versions are gone")
	assert.Equal(t, envSecretName(r.app.ID, "web", r.version), secrets.Items[0].Name)
}

func (r *real) deploys(t *testing.T) {
	r.probed(t, func() {
		for range 3 { // ten are made through the API, by the tests of the whole
			r.apply(t, r.release(same))
		}
		r.answers(t, versionName(r.version))
	})
}

func (r *real) scale(t *testing.T) {
	r.probed(t, func() {
		require.NoError(t, r.c.Scale(t.Context(), r.app.ID, map[string]int{"web": 3}))
		require.Eventually(t, func() bool { return r.states(t) == "up up up" }, time.Minute, 200*time.Millisecond)
		require.NoError(t, r.c.Scale(t.Context(), r.app.ID, map[string]int{"web": 1}))
		require.Eventually(t, func() bool { return r.states(t) == "up" }, time.Minute, 200*time.Millisecond)
	})
}

func (r *real) restart(t *testing.T) {
	before, err := r.get()
	require.NoError(t, err)
	r.probed(t, func() {
		require.NoError(t, r.c.Restart(t.Context(), r.app.ID, nil))
		require.Eventually(t, func() bool {
			body, err := r.get()
			return err == nil && body != before // the name of the pod
		}, time.Minute, 200*time.Millisecond)
	})
}

// fails applies a release that must not come up, while the one before serves.
func (r *real) fails(t *testing.T, kinds []string, says string, change func(*control.Process)) {
	t.Helper()
	serving := r.deployment(t)
	r.probed(t, func() {
		begin := time.Now()
		err := r.c.Apply(t.Context(), r.release(change))
		t.Logf("after %s: %v", time.Since(begin).Round(time.Millisecond), err)
		var failed *control.RolloutError
		require.ErrorAs(t, err, &failed)
		assert.Contains(t, kinds, failed.Kind)
		assert.Contains(t, failed.Reason, says)
	})
	now := r.deployment(t)
	assert.Equal(t, serving.Spec.Template, now.Spec.Template)
	assert.Equal(t, serving.Annotations[annotationServing], now.Annotations[annotationServing])
	_, err := r.c.core.CoreV1().Secrets(r.app.ID).Get(t.Context(), envSecretName(r.app.ID, "web", r.version), metav1.GetOptions{})
	assert.True(t, apierrors.IsNotFound(err))
	r.answers(t, serving.Annotations[annotationServing])
	require.Eventually(t, func() bool { return r.states(t) == "up" }, time.Minute, 200*time.Millisecond)
}

func (r *real) badImage(t *testing.T) {
	r.fails(t, []string{"ImagePullBackOff", "ErrImagePull"}, "absent.invalid/nothing:v0", func(p *control.Process) {
		p.Image = "absent.invalid/nothing:v0"
	})
	r.fails(t, []string{"InvalidImageName"}, "no valid name", func(p *control.Process) { p.Image = "UPPER CASE:?" })
}

func (r *real) crash(t *testing.T) {
	r.fails(t, []string{"CrashLoopBackOff"}, "is not a duration", func(p *control.Process) { p.Env["HELLO_DRAIN"] = "soon" })
}

func (r *real) noStart(t *testing.T) {
	r.fails(t, []string{"CrashLoopBackOff"}, "/absent", func(p *control.Process) { p.Command = []string{"/absent"} })
}

func (r *real) tooLarge(t *testing.T) {
	r.fails(t, []string{"Unschedulable"}, "no node can take", func(p *control.Process) {
		p.Plan.CPULimit, p.Plan.CPURequest = 4_000_000, 4_000_000
	})
}

func (r *real) deaf(t *testing.T) {
	r.fails(t, []string{"Timeout"}, "PORT, which is 5000", func(p *control.Process) {
		p.Env["PORT"], p.Timeout = "5001", 10*time.Second
	})
}

func (r *real) afterwards(t *testing.T) {
	r.probed(t, func() {
		r.apply(t, r.release(same))
		r.answers(t, versionName(r.version))
	})
}

func (r *real) routingOff(t *testing.T) {
	hidden := r.release(same)
	hidden.Exposure = r.shown(false)
	r.apply(t, hidden)
	require.Eventually(t, func() bool {
		_, err := r.get()
		return err != nil && err.Error() == "status 404"
	}, 20*time.Second, 50*time.Millisecond)
}

func (r *real) delete(t *testing.T) {
	begin := time.Now()
	require.NoError(t, r.c.DeleteApp(t.Context(), r.app.ID))
	t.Logf("deleted in %s", time.Since(begin).Round(time.Millisecond))
	exists, err := r.c.NamespaceExists(t.Context(), r.app.ID)
	require.NoError(t, err)
	assert.False(t, exists)
}
