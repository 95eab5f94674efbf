//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

// deployLimit is how long any one rollout may take here, with pulls and a busy
// machine; how long it does take is for the bench.
const deployLimit = 3 * time.Minute

// Ports that the gateway opens for apps, besides 80 and 443.
const tcpPort, passPort = "15432", "16443"

// TestLife is the whole life of an appliance on this machine, in order.
func TestLife(t *testing.T) {
	m := thisMachine(t)
	before := house.Photograph(t, m)
	s := &story{m: m, app: "probe"}
	t.Setenv("SLIPWAY_GATEWAY_PORTS", tcpPort+"/TCP,"+passPort+"/TLS")
	house.Must(t, "install", s.install)
	house.Must(t, "status is well", func(t *testing.T) { house.Well(t, m, time.Minute); s.statusAsJSON(t) })
	house.Must(t, "install again changes nothing", s.installAgain)
	house.Must(t, "the printed commands deploy a first app", s.firstApp)
	house.Must(t, "helm lists the charts", func(t *testing.T) { charts(t, m) })
	house.Must(t, "strangers are kept out", s.strangers)
	house.Must(t, "log in", func(t *testing.T) { s.client = house.Login(t, m) })
	house.Must(t, "names are checked", s.names)
	house.Must(t, "push an image", s.push)
	house.Must(t, "deploy it", s.deploy)
	should(t, m, "over HTTPS", s.https)
	should(t, m, "scale 1, 3, 1", s.scale)
	should(t, m, "change config, roll back", s.configAndRollback)
	should(t, m, "ten deploys under load", s.tenDeploys)
	should(t, m, "an unknown image", s.unknownImage)
	should(t, m, "a crashing image", s.crashingImage)
	should(t, m, "a crash of the server", s.crashAtRest)
	should(t, m, "a crash of the server in a deploy", s.crashInDeploy)
	should(t, m, "a crash of server and supervisor", s.crashOfAll)
	should(t, m, "delete the app", s.deleteApp)
	should(t, m, "the cluster half on this cluster", s.realCluster)
	should(t, m, "git push of a Dockerfile", s.pushDockerfile)
	should(t, m, "git push of each language", s.pushLanguages)
	should(t, m, "git push of pipelines", s.pushPipelines)
	should(t, m, "the builder on this cluster", s.realBuilder)
	house.Must(t, "uninstall", func(t *testing.T) { uninstall(t, m, before) })
}

// story is what one step leaves for the next.
type story struct {
	m        *appliance.Machine
	client   *appliance.Client
	app      string
	board    string   // what the installer printed
	program  string   // the compiled probe
	images   []string // references of versions 1, 2 …
	username string
	password string
}

func (s *story) install(t *testing.T) {
	r := install(t, s.m)
	require.Equal(t, 0, r.Code, "%s\n%s", r.Stdout, r.Stderr)
	t.Logf("installed in %.1fs\n%s%s", r.Took.Seconds(), r.Stderr, redact(r.Stdout))
	s.board = r.Stdout
	var err error
	s.username, s.password, err = s.m.Credentials(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "admin", s.username)
	assert.Contains(t, r.Stdout, "http://drycc."+domain, "the address is printed")
	assert.Contains(t, r.Stdout, s.password, "the password is shown once")
	assert.NotContains(t, r.Stderr, s.password, "and not among the progress")
	log, err := s.m.Output(t.Context(), "cat", "/var/log/slipway/slipway.log")
	require.NoError(t, err)
	assert.NotContains(t, log, s.password, "nor in the log")
}

// redact hides what the installer shows once.
func redact(s string) string {
	return regexp.MustCompile(`(?i)(password\S*\s+|-u \S+:|"password": *")[^\s"]+`).ReplaceAllString(s, "$1…")
}

func (s *story) statusAsJSON(t *testing.T) {
	out, err := s.m.Slipway(t.Context(), "status", "-o", "json")
	require.NoError(t, err)
	var status struct {
		Well bool
		URL  string
	}
	require.NoError(t, json.Unmarshal([]byte(out), &status))
	assert.True(t, status.Well)
	assert.Equal(t, "http://drycc."+domain, status.URL)

	out, err = s.m.Slipway(t.Context(), "version", "--images", "-o", "json")
	require.NoError(t, err)
	var images []struct{ Name, Ref, Digest, Source string }
	require.NoError(t, json.Unmarshal([]byte(out), &images))
	assert.NotEmpty(t, images)
	for _, i := range images {
		assert.NotEmpty(t, i.Name)
		assert.Regexp(t, `^slipway\.internal/`, i.Ref)
		assert.Regexp(t, `^sha256:[0-9a-f]{64}$`, i.Digest)
		assert.NotEmpty(t, i.Source)
	}
	// Every image that runs is one of those: nothing was downloaded.
	out, err = s.m.Slipway(t.Context(), "kubectl", "get", "pods", "-A", "-o", "jsonpath={range .items[*].spec.containers[*]}{.image}{\"\\n\"}{end}")
	require.NoError(t, err)
	for _, ref := range strings.Fields(out) {
		assert.True(t, slices.ContainsFunc(images, func(i struct{ Name, Ref, Digest, Source string }) bool { return i.Ref == ref }), "%s is not carried", ref)
	}
}

func (s *story) installAgain(t *testing.T) {
	servers, err := s.m.Servers(t.Context(), "server")
	require.NoError(t, err)
	r := install(t, s.m)
	require.Equal(t, 0, r.Code, r.Stderr)
	assert.NotContains(t, r.Stdout, s.password, "the password was shown once")
	again, err := s.m.Servers(t.Context(), "server")
	require.NoError(t, err)
	assert.Equal(t, servers, again, "the running server was left alone")
	_, password, err := s.m.Credentials(t.Context())
	require.NoError(t, err)
	assert.Equal(t, s.password, password)
}

// firstApp pastes the commands that the installer prints: the indented lines
// that call curl, or continue or feed such a line.
func (s *story) firstApp(t *testing.T) {
	commands := regexp.MustCompile(`(?m)^ +.*\bcurl .*$`).FindAllString(s.board, -1)
	require.NotEmpty(t, commands, "the installer prints how to deploy a first app")
	script := strings.Join(commands, "\n")
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", redact(script), out)
	url := regexp.MustCompile(`http://[a-z0-9-]+\.`+regexp.QuoteMeta(domain)+`/?`).FindAllString(s.board, -1)
	name := ""
	for _, u := range url {
		if n := strings.TrimPrefix(strings.Split(u, ".")[0], "http://"); n != "drycc" && n != "metrics" && n != "registry" {
			name = n
		}
	}
	require.NotEmpty(t, name, "the board says where the first app answers")
	s.answers(t, name, deployLimit, func(body string) error {
		if !strings.Contains(body, name) {
			return fmt.Errorf("the app does not show its name: %.200s", body)
		}
		return nil
	})
}

// answers waits until the app answers through the gateway as wanted.
func (s *story) answers(t *testing.T, app string, limit time.Duration, wanted func(body string) error) {
	t.Helper()
	client := &http.Client{Transport: s.m.Transport(), Timeout: 3 * time.Second}
	require.NoError(t, appliance.Eventually(t.Context(), limit, func(ctx context.Context) error {
		status, body, err := s.m.Get(ctx, client, s.m.URL(app, "/"))
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("HTTP %d: %.200s", status, body)
		}
		return wanted(body)
	}))
}

// page is what the probe app answers.
type page struct{ Version, Pod, Greeting, App string }

// shows makes a condition on the probe's answer.
func shows(wanted func(page) bool) func(string) error {
	return func(body string) error {
		var p page
		if err := json.Unmarshal([]byte(body), &p); err != nil {
			return fmt.Errorf("%w in %.200s", err, body)
		}
		if !wanted(p) {
			return fmt.Errorf("the app shows %+v", p)
		}
		return nil
	}
}

// charts checks the Helm releases: all deployed, none twice.
func charts(t *testing.T, m *appliance.Machine) {
	t.Helper()
	out, err := m.Slipway(t.Context(), "kubectl", "get", "secrets", "-A", "-l", "owner=helm,status=deployed",
		"-o", `jsonpath={range .items[*]}{.metadata.labels.name}{"\n"}{end}`)
	require.NoError(t, err)
	names := strings.Fields(out)
	slices.Sort(names)
	for _, chart := range []string{"cluster", "gateway", "monitoring", "registry", "storage"} {
		n := 0
		for _, name := range names {
			if name == chart || strings.HasSuffix(name, "-"+chart) {
				n++
			}
		}
		assert.Equal(t, 1, n, "deployed releases of chart %s among %v", chart, names)
	}
	out, err = m.Slipway(t.Context(), "kubectl", "get", "secrets", "-A", "-l", "owner=helm", "-o",
		`jsonpath={range .items[*]}{.metadata.labels.status}{"\n"}{end}`)
	require.NoError(t, err)
	for _, status := range strings.Fields(out) {
		assert.Contains(t, []string{"deployed", "superseded"}, status)
	}
}

// refused checks the status and words of a refusal.
func refused(t *testing.T, err error, status []int, words string) {
	t.Helper()
	var r *appliance.Refusal
	require.ErrorAs(t, err, &r)
	assert.Contains(t, status, r.Status, r.Body)
	assert.Contains(t, r.Body, words)
}

func (s *story) strangers(t *testing.T) {
	ctx := t.Context()
	stranger := appliance.NewClient(s.m)
	header, err := stranger.Call(ctx, http.MethodGet, "/", nil, nil)
	refused(t, err, []int{401}, "Authentication credentials were not provided.")
	assert.NotEmpty(t, header.Get("DRYCC_API_VERSION"), "clients look for the version: %v", header)
	for _, path := range []string{"/apps/", "/auth/whoami/", "/apps/hello/", "/tokens/"} {
		_, err := stranger.Call(ctx, http.MethodGet, path, nil, nil)
		refused(t, err, []int{401}, "credentials")
	}
	err = stranger.Login(ctx, s.username, s.password+"x")
	refused(t, err, []int{400, 401}, "Invalid credentials given.")
	err = stranger.Login(ctx, "nobody", s.password)
	refused(t, err, []int{400, 401}, "Invalid credentials given.")

	for _, c := range []struct{ name, path string }{
		{"registry", "/v2/"}, {"registry", "/v2/_catalog"}, {"metrics", "/"}, {"metrics", "/vmui/"}, {"metrics", "/api/v1/query?query=up"},
	} {
		client := &http.Client{Transport: s.m.Transport(), Timeout: 10 * time.Second} // follows redirects, as browsers do
		status, body, err := s.m.Get(ctx, client, s.m.URL(c.name, c.path))
		require.NoError(t, err)
		assert.Contains(t, []int{401, 403}, status, "%s%s answers a stranger: %.100s", c.name, c.path, body)
	}
}

func (s *story) names(t *testing.T) {
	ctx := t.Context()
	for id, words := range map[string]string{
		"Upper": "App name must start", "abc": "App name must start", "under_score": "App name must start",
		"kube-system": "reserved name", "drycc": "reserved name", strings.Repeat("a", 64): "63 characters", "../../etc": "App name must start",
	} {
		_, err := s.client.CreateApp(ctx, id, "")
		refused(t, err, []int{400}, words)
	}
	app, err := s.client.CreateApp(ctx, s.app, "")
	require.NoError(t, err)
	assert.Equal(t, s.app, app.ID)
	_, err = s.client.CreateApp(ctx, s.app, "")
	refused(t, err, []int{400, 409}, "already exists")
	_, err = s.client.Releases(ctx, "nosuch-app")
	refused(t, err, []int{403, 404}, "")
}

func (s *story) push(t *testing.T) {
	ctx := t.Context()
	var err error
	s.program, err = appliance.BuildProbe(ctx, t.TempDir())
	require.NoError(t, err)
	https, err := s.m.HTTPS(ctx)
	require.NoError(t, err)
	for _, version := range []string{"v1", "v2"} {
		image, err := appliance.ProbeImage(s.program, version)
		require.NoError(t, err)
		ref, err := s.m.Push(ctx, https, image, s.app, version, s.username, s.password)
		require.NoError(t, err)
		s.images = append(s.images, ref)
	}
	image, err := appliance.ProbeImage(s.program, "bad", "CRASH=no database at db.example")
	require.NoError(t, err)
	ref, err := s.m.Push(ctx, https, image, s.app, "crash", s.username, s.password)
	require.NoError(t, err)
	s.images = append(s.images, ref)
	_, err = s.m.Push(ctx, https, image, s.app, "stranger", s.username, "wrong")
	assert.ErrorContains(t, err, "401")
}

func (s *story) deploy(t *testing.T) {
	r, err := s.client.Deployed(t.Context(), s.app, s.images[0], deployLimit)
	require.NoError(t, err)
	assert.Equal(t, "succeed", r.State)
	s.answers(t, s.app, 10*time.Second, shows(func(p page) bool { return p.Version == "v1" && p.App == s.app }))
	_, err = s.client.WaitPods(t.Context(), s.app, 1, time.Minute)
	require.NoError(t, err)
}

func (s *story) https(t *testing.T) {
	client, err := s.m.HTTPS(t.Context())
	require.NoError(t, err)
	for _, name := range []string{s.app, "drycc", "registry"} {
		resp, err := client.Get("https://" + name + "." + domain + "/")
		require.NoError(t, err, "%s with the platform's own authority", name)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Less(t, resp.StatusCode, 500)
	}
}
