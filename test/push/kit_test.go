//go:build e2e

package push

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
	"github.com/slipway-paas/slipway/test/house"
)

const (
	domain  = "slipway.localhost"
	address = "172.31.77.90"
	limit   = 5 * time.Minute // for a push with its build and rollout
)

func TestMain(m *testing.M) { os.Exit(house.Main(m, "make test-push")) }

// port is a bare host with an appliance on it.
type port struct {
	*harness.Host
	m      *appliance.Machine
	client *appliance.Client
}

func open(t *testing.T) *port {
	t.Helper()
	h, m := house.Bare(t, harness.Options{Name: "bupush", Address: address}, domain)
	// The hook fetches from the platform's own door; images are swept while the
	// test looks.
	env := []string{"SLIPWAY_FETCH_ALLOWED=127.0.0.1", "SLIPWAY_IMAGES_KEEP=2", "SLIPWAY_IMAGES_EVERY=2"}
	house.Install(t, h, m, env, "--domain", domain)
	return &port{Host: h, m: m, client: house.Login(t, m)}
}

// developer has a folder with a repository, and a key that the platform knows.
type developer struct {
	p    *port
	app  string
	home string
	dir  string
}

// developer makes the app, if nobody has yet, and a key.
func (p *port) developer(t *testing.T, name, app string, create bool) *developer {
	t.Helper()
	d := &developer{p: p, app: app, home: t.TempDir()}
	d.dir = filepath.Join(d.home, app)
	key := filepath.Join(d.home, "key")
	out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput()
	require.NoError(t, err, "%s", out)
	public, err := os.ReadFile(key + ".pub")
	require.NoError(t, err)
	p.addKey(t, name, string(public))
	if create {
		_, err = p.client.CreateApp(t.Context(), app, "")
		require.NoError(t, err)
	}
	require.NoError(t, os.MkdirAll(d.dir, 0o755))
	d.git(t, "init", "-q", "-b", "main")
	d.git(t, "remote", "add", "drycc", "ssh://git@drycc-builder."+domain+":2222/"+app+".git")
	return d
}

func (p *port) addKey(t *testing.T, name, public string) {
	t.Helper()
	_, err := p.client.Call(t.Context(), "POST", "/keys/", map[string]string{"id": name, "public": strings.TrimSpace(public)}, nil)
	require.NoError(t, err)
}

// command is git in the developer's folder, ready to run.
func (d *developer) command(ctx context.Context, args ...string) *exec.Cmd {
	ssh := "ssh -F /dev/null -i " + filepath.Join(d.home, "key") + " -o IdentitiesOnly=yes -o BatchMode=yes -o HostName=" + address +
		" -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=" + filepath.Join(d.home, "known")
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", d.dir}, args...)...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + d.home, "GIT_SSH_COMMAND=" + ssh, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=dev", "GIT_AUTHOR_EMAIL=dev@example.com", "GIT_COMMITTER_NAME=dev", "GIT_COMMITTER_EMAIL=dev@example.com",
		"GIT_ALLOW_PROTOCOL=file:ssh",
	}
	return cmd
}

func (d *developer) git(t *testing.T, args ...string) string {
	t.Helper()
	out, err := d.command(t.Context(), args...).CombinedOutput()
	require.NoError(t, err, "git %s\n%s", strings.Join(args, " "), out)
	return strings.TrimSpace(string(out))
}

// site is a tree that serves what is in www.
func site(line string) map[string]string {
	return map[string]string{
		"Dockerfile":     "FROM busybox\nCOPY www /www\nCMD [\"sh\", \"-c\", \"exec httpd -f -p $PORT -h /www\"]\n",
		"www/index.html": line + "\n",
	}
}

func (d *developer) write(t *testing.T, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(d.dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	d.git(t, "add", "-A")
	d.git(t, "commit", "-qm", "a step")
}

// push pushes and returns what the developer reads, and whether it worked.
func (d *developer) push(t *testing.T, args ...string) (string, bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	begin := time.Now()
	out, err := d.command(ctx, append([]string{"push", "drycc"}, args...)...).CombinedOutput()
	t.Logf("git push drycc %s: %.1f s, %v\n%.2000s", strings.Join(args, " "), time.Since(begin).Seconds(), err, out)
	return string(out), err == nil
}

// serves waits until the app answers with a line.
func (p *port) serves(t *testing.T, app, path, line string) {
	t.Helper()
	client := &http.Client{Transport: p.m.Transport(), Timeout: 20 * time.Second}
	require.NoError(t, appliance.Eventually(t.Context(), time.Minute, func(ctx context.Context) error {
		status, body, err := p.m.Get(ctx, client, p.m.URL(app, path))
		if err == nil && (status != http.StatusOK || !strings.Contains(body, line)) {
			err = fmt.Errorf("HTTP %d: %.100q, not %.100q", status, body, line)
		}
		return err
	}))
}

// version is that of the newest release.
func (p *port) version(t *testing.T, app string) int {
	t.Helper()
	r, err := p.client.Latest(t.Context(), app)
	require.NoError(t, err)
	return r.Version
}
