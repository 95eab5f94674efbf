package control_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/webhook"
)

// receiver is a server that takes deploy hooks. answer decides the status of
// the n-th request, from 1.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	uris []string
	auth []string
}

func receive(t *testing.T, answer func(n int) int) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.uris = append(r.uris, req.Method+" "+req.RequestURI)
		r.auth = append(r.auth, req.Header.Get("Authorization"))
		n := len(r.uris)
		r.mu.Unlock()
		w.WriteHeader(answer(n))
	}))
	t.Cleanup(r.Close)
	return r
}

func always(status int) func(int) int { return func(int) int { return status } }

func (r *receiver) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.uris...)
}

func hooksTo(secret string, urls ...string) option {
	return func(o *control.Options) {
		o.Hooks = control.DeployHooks{
			URLs: urls, Secret: secret, Poster: webhook.New(), Backoff: func(int) time.Duration { return time.Millisecond },
		}
	}
}

// ended lists the events that tell how hooks ended: "v2 sent http://… 1".
func (k *kit) ended() []string {
	k.t.Helper()
	list, err := k.store.ListEvents(k.t.Context(), "", 0, 1000)
	require.NoError(k.t, err)
	var out []string
	for _, e := range list {
		if e.Object != "hook" {
			continue
		}
		var d struct {
			Version, Attempts int
			To, Problem       string
		}
		require.NoError(k.t, json.Unmarshal(e.Data, &d))
		require.NotEmpty(k.t, e.App)
		out = append(out, strings.TrimSpace(strings.Join([]string{e.Action, "v" + string(rune('0'+d.Version)),
			"try " + string(rune('0'+d.Attempts)), d.Problem}, " ")))
	}
	return out
}

// Every release is told, as documented: sorted query, signature over the whole
// address as it was configured.
func TestHookForEveryRelease(t *testing.T) {
	t.Parallel()
	r := receive(t, always(http.StatusOK))
	k := newKit(t, hooksTo("my_secret_key", r.URL, r.URL+"/in?room=5", " "+r.URL+" ")).run()
	k.create(app)
	_, err := k.Deploy(t.Context(), k.alice, app, control.NewBuild{
		Image: "registry.test/hello:1", Stack: "container", SHA: "35b37260b1c2d3e4f5061728394a5b6c7d8e9f00",
	})
	require.NoError(t, err)
	k.set("GREETING", "hi")
	k.settle()
	want := []string{
		"app=hello&release=v1&release_summary=alice%20created%20initial%20release&sha=&user=alice",
		"app=hello&release=v2&release_summary=alice%20deployed%2035b3726&sha=35b37260b1c2d3e4f5061728394a5b6c7d8e9f00&user=alice",
		"app=hello&release=v3&release_summary=alice%20added%20values%20GREETING&sha=35b37260b1c2d3e4f5061728394a5b6c7d8e9f00&user=alice",
	}
	var first, second []string
	for i, uri := range r.seen() {
		address := r.URL + strings.Replace(strings.TrimPrefix(uri, "POST "), "/?", "?", 1)
		mac := hmac.New(sha1.New, []byte("my_secret_key"))
		mac.Write([]byte(address))
		require.Equal(t, hex.EncodeToString(mac.Sum(nil)), r.auth[i], address)
		if rest, ok := strings.CutPrefix(uri, "POST /in?room=5&"); ok {
			second = append(second, rest)
		} else {
			first = append(first, strings.TrimPrefix(uri, "POST /?"))
		}
	}
	require.Equal(t, want, first, "each once, in order; the same address twice counts once")
	require.Equal(t, want, second, "an address may have a query of its own")
	require.Len(t, k.ended(), 6)
}

func TestHookWithoutSecretIsNotSigned(t *testing.T) {
	t.Parallel()
	r := receive(t, always(http.StatusNoContent))
	k := newKit(t, hooksTo("", r.URL)).run()
	k.create(app)
	k.settle()
	require.Equal(t, []string{""}, r.auth)
}

// How a delivery ends, by what the receiver answers.
func TestHookTriesAgain(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer func(n int) int
		tries  int
		want   string
	}{
		"at once":   {always(201), 1, "sent v1 try 1"},
		"third":     {func(n int) int { return []int{500, 429, 200}[n-1] }, 3, "sent v1 try 3"},
		"never":     {always(503), 9, "fail v1 try 9 answered 503"},
		"not there": {always(404), 1, "fail v1 try 1 answered 404"},
		"redirect":  {always(302), 1, "fail v1 try 1 answered 302: it redirects, and the signature is for one address only; set the final one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := receive(t, tc.answer)
			k := newKit(t, hooksTo("s", r.URL)).run()
			k.create(app)
			k.settle()
			require.Len(t, r.seen(), tc.tries)
			require.Equal(t, []string{tc.want}, k.ended())
			left, err := k.store.ListDeliveries(t.Context(), "", 10)
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}

// What is old is tried once and then given up, so that a receiver that comes
// back after a day is not told all of it.
func TestOldHookIsGivenUp(t *testing.T) {
	t.Parallel()
	r := receive(t, always(http.StatusBadGateway))
	k := newKit(t, hooksTo("s", r.URL))
	k.create(app)
	k.clock.pass(2 * time.Hour)
	k.run().settle()
	require.Equal(t, []string{"fail v1 try 1 answered 502"}, k.ended())
}

// A receiver that hangs holds nobody back: not the deploy, not the others.
func TestHookNeverBlocksADeploy(t *testing.T) {
	t.Parallel()
	release, reached := make(chan struct{}), make(chan struct{}, 10)
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		reached <- struct{}{}
		<-release
	}))
	defer slow.Close()
	told := make(chan string, 10)
	quick := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told <- r.URL.Query().Get("release") }))
	defer quick.Close()
	states := make(chan platform.ReleaseState, 10)
	k := newKit(t, hooksTo("s", slow.URL, quick.URL), func(o *control.Options) {
		o.OnRelease = func(s platform.ReleaseState) { states <- s }
	}).run()
	k.create(app)
	<-reached
	k.deploy("registry.test/hello:1")
	for s := range states {
		if s == succeeded {
			break
		}
	}
	require.Equal(t, "v1", <-told)
	require.Equal(t, "v2", <-told)
	close(release)
	k.settle()
	require.Len(t, k.ended(), 4)
}

// What waits outlives the process; what was told is not told again, and what
// happened while no hook was set is never told.
func TestHooksOverARestart(t *testing.T) {
	t.Parallel()
	down := receive(t, always(http.StatusOK))
	address := down.URL
	down.Close()
	k := newKit(t, hooksTo("s", address))
	k.create(app) // recorded, with nobody at work
	k.renew()
	k.run()
	k.deploy("registry.test/hello:1")
	k.settle()
	k.stop()

	r := receive(t, always(http.StatusOK))
	k.clock.pass(time.Minute)
	k.renew(hooksTo("s", r.URL))
	k.set("A", "b") // recorded before anybody is at work, and told all the same
	k.run()
	k.settle()
	k.stop()
	require.Len(t, r.seen(), 1, "v3 only")
	require.Contains(t, r.seen()[0], "release=v3")

	k.renew(hooksTo("s", r.URL))
	k.set("A", "c")
	k.renew(hooksTo("s", r.URL))
	k.run().settle()
	require.Len(t, r.seen(), 2)
	require.Contains(t, r.seen()[1], "release=v4")
}

func TestHookOfAnAppThatIsGone(t *testing.T) {
	t.Parallel()
	r := receive(t, always(http.StatusOK))
	k := newKit(t, hooksTo("s", r.URL))
	k.create(app)
	require.NoError(t, k.DeleteApp(t.Context(), k.alice, app))
	k.run().settle()
	require.Empty(t, r.seen())
}

// Addresses and the secret are nowhere but in the settings and the request.
func TestHookSecretsStaySecret(t *testing.T) {
	t.Parallel()
	r := receive(t, func(n int) int { return []int{500, 200, 404}[(n-1)%3] })
	var log bytes.Buffer
	logger := logrus.New()
	logger.SetOutput(&log)
	k := newKit(t, hooksTo("swordfish", r.URL+"/swordfish?token=swordfish"), func(o *control.Options) { o.Logger = logger }).run()
	k.create(app)
	k.deploy("registry.test/hello:1")
	k.settle()
	k.stop()
	require.Contains(t, log.String(), "Deploy hook sent to "+r.URL)
	require.Contains(t, log.String(), "Deploy hook given up for "+r.URL+": answered 404")
	require.NotContains(t, log.String(), "swordfish")
	events, err := k.store.ListEvents(t.Context(), "", 0, 100)
	require.NoError(t, err)
	for _, e := range events {
		require.NotContains(t, string(e.Data), "swordfish")
	}
}

func TestParseDeployHooks(t *testing.T) {
	t.Parallel()
	settings := map[string]string{"DRYCC_DEPLOY_HOOK_SECRET_KEY": "s"}
	r := receive(t, always(http.StatusOK))
	settings["DRYCC_DEPLOY_HOOK_URLS"] = " " + r.URL + "/a ,, " + r.URL + "/b,"
	k := newKit(t, func(o *control.Options) {
		o.Hooks = control.ParseDeployHooks(func(name string) string { return settings[name] }, webhook.New())
	}).run()
	k.create(app)
	k.settle()
	require.Len(t, r.seen(), 2)
	require.NotEmpty(t, r.auth[0])
	require.Len(t, control.DeployHookNames(), len(settings))
	none := control.ParseDeployHooks(func(string) string { return "" }, nil)
	k.stop()
	k.renew(func(o *control.Options) { o.Hooks = none })
	k.run()
	k.set("A", "b")
	k.settle()
	require.Len(t, r.seen(), 2, "no address, no hook")
}

func TestHookAddressesAreChecked(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	for _, bad := range []string{"ftp://x/s3cret", "drycc.rocks", "http://", "http://me:s3cret@x/", "http://x/#s3cret", "http://%zz"} {
		o := control.Options{Store: k.store, Cluster: k.cluster, Identity: struct{ control.Identity }{}, Domain: "x"}
		hooksTo("s", "http://fine", bad)(&o)
		_, err := control.New(o)
		require.ErrorContains(t, err, "deploy hook 2", bad)
		require.NotContains(t, err.Error(), "s3cret")
		o.Hooks = control.DeployHooks{URLs: []string{"http://fine"}}
		_, err = control.New(o)
		require.ErrorContains(t, err, "Poster")
	}
}
