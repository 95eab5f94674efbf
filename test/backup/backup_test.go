//go:build e2e

package backup

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/bootstrap/backup/backuptest"
	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

const (
	oldDomain = "old.example.test"
	newDomain = "new.example.test"
	volumes   = "/var/lib/rancher/k3s/storage"
)

// platform is what the first host has and the second has to have.
type platform struct {
	site
	client         *appliance.Client
	username, word string
	images         []string
	apps           []string
	backup, key    []byte
	pictures       map[string][]string // of volumes, by their folders
	certs          map[string][]byte   // by the names they are shown for
	releases       map[string][]int
}

// TestAnotherHost takes a platform with five apps to a host with another
// address and domain, while the first one is gone.
func TestAnotherHost(t *testing.T) {
	p := &platform{
		site: newSite(t, "baold", "172.31.77.50", oldDomain), apps: []string{"alpha", "bravo", "charlie", "delta", "gamma"},
		pictures: map[string][]string{}, certs: map[string][]byte{}, releases: map[string][]int{},
	}
	house.Must(t, "a platform", p.install)
	house.Must(t, "five apps", p.deploy)
	house.Must(t, "data and certificates", p.fillUp)
	house.Must(t, "backup", p.makeBackup)
	house.Must(t, "a bucket", p.bucket)
	house.Must(t, "drill", p.drill)
	house.Must(t, "look, then switch it off", p.remember)

	to := newSite(t, "banew", "172.31.77.51", newDomain)
	before := house.Photograph(t, to.m)
	to.put(t, "/root/key", p.key)
	house.Must(t, "damaged ones change nothing", func(t *testing.T) { p.damaged(t, to, before) })
	house.Must(t, "killed, then restored", func(t *testing.T) { p.restore(t, to) })
	house.Must(t, "all is there", func(t *testing.T) { p.compare(t, to) })
	house.Must(t, "and goes on", func(t *testing.T) { p.goesOn(t, to) })
	house.Must(t, "not twice", func(t *testing.T) {
		r := to.run(t, 1, "restore", "/root/all.backup", "--identity", "/root/key")
		assert.Contains(t, r.Stderr, "was restored here")
	})
	house.Must(t, "nothing is left", func(t *testing.T) {
		to.run(t, 0, "uninstall", "--yes")
		assert.Empty(t, withoutRoot(before.Diff(house.Photograph(t, to.m))))
	})
}

// withoutRoot leaves out what the test has put into root's folder.
func withoutRoot(diff []string) (list []string) {
	for _, l := range diff {
		if !strings.Contains(l, "/root") {
			list = append(list, l)
		}
	}
	return list
}

func (p *platform) install(t *testing.T) {
	p.run(t, 0, "install", "--domain", oldDomain)
	var err error
	p.username, p.word, err = p.m.Credentials(t.Context())
	require.NoError(t, err)
	p.client = house.Login(t, p.m)
}

// deploy pushes two versions of an image and has every app run the first.
func (p *platform) deploy(t *testing.T) {
	ctx := t.Context()
	probe, err := appliance.BuildProbe(ctx, t.TempDir())
	require.NoError(t, err)
	https, err := p.m.HTTPS(ctx)
	require.NoError(t, err)
	for _, version := range []string{"v1", "v2"} {
		image, err := appliance.ProbeImage(probe, version)
		require.NoError(t, err)
		ref, err := p.m.Push(ctx, https, image, "shared", version, p.username, p.word)
		require.NoError(t, err)
		p.images = append(p.images, ref)
	}
	for _, app := range p.apps {
		_, err := p.client.CreateApp(ctx, app, "")
		require.NoError(t, err)
		require.NoError(t, p.client.SetConfig(ctx, app, map[string]string{"GREETING": "hello of " + app}))
	}
	for _, app := range p.apps {
		_, err := p.client.Deployed(ctx, app, p.images[0], deployLimit)
		require.NoError(t, err)
	}
	_, err = p.client.Deployed(ctx, "gamma", p.images[1], deployLimit)
	require.NoError(t, err)
}

func (p *platform) call(t *testing.T, method, path string, in any) {
	t.Helper()
	_, err := p.client.Call(t.Context(), method, path, in, nil)
	require.NoError(t, err, "%s %s", method, path)
}

// fillUp gives two apps volumes with data, one an uploaded certificate and one
// a certificate of the platform's own authority.
func (p *platform) fillUp(t *testing.T) {
	for _, app := range []string{"alpha", "delta"} {
		p.call(t, http.MethodPost, "/apps/"+app+"/volumes/", map[string]string{"name": "data", "size": "1G"})
		p.call(t, http.MethodPatch, "/apps/"+app+"/volumes/data/path/", map[string]any{"path": map[string]string{"web": "/data"}})
	}
	for _, app := range []string{"alpha", "delta"} {
		folder := filepath.Join(volumes, app+"_data")
		require.NoError(t, appliance.Eventually(t.Context(), deployLimit, func(context.Context) error {
			_, err := os.Stat(p.path(folder))
			return err
		}))
		// A pod that mounts a volume may give its files another group.
		_, err := p.client.WaitPods(t.Context(), app, 1, deployLimit)
		require.NoError(t, err)
	}
	require.NoError(t, backuptest.Make(p.path(volumes+"/delta_data")))
	require.NoError(t, os.WriteFile(p.path(volumes+"/alpha_data/big"), []byte(strings.Repeat("0123456789abcdef\n", 4<<20/17)), 0o640))
	for i := range 300 {
		require.NoError(t, os.WriteFile(p.path(fmt.Sprintf("%s/alpha_data/%d", volumes, i)), fmt.Append(nil, i), 0o600))
	}
	cert, key := house.SelfSigned(t, "bravo.customer.test")
	p.call(t, http.MethodPost, "/apps/bravo/domains/", map[string]string{"domain": "bravo.customer.test", "ptype": "web"})
	p.call(t, http.MethodPost, "/apps/bravo/certs/", map[string]string{"name": "own", "certificate": string(cert), "key": string(key)})
	p.call(t, http.MethodPost, "/apps/bravo/certs/own/domain/", map[string]string{"domain": "bravo.customer.test"})
	p.call(t, http.MethodPost, "/apps/charlie/domains/", map[string]string{"domain": "charlie.customer.test", "ptype": "web"})
	p.call(t, http.MethodPost, "/apps/charlie/tls/", map[string]any{"certs_auto_enabled": true})
	fallback := string(p.served(t, "nobody.customer.test"))
	for _, name := range []string{"bravo.customer.test", "charlie.customer.test"} {
		require.NoError(t, appliance.Eventually(t.Context(), time.Minute, func(context.Context) error {
			if p.certs[name] = p.served(t, name); string(p.certs[name]) == fallback {
				return fmt.Errorf("%s has no certificate of its own yet", name)
			}
			return nil
		}))
	}
}

func (p *platform) makeBackup(t *testing.T) {
	recipient := strings.TrimSpace(p.run(t, 0, "backup", "key", "/root/key").Stdout)
	r := p.run(t, 1, "backup", "/root/all.backup")
	assert.Contains(t, r.Stderr, "slipway backup key", "without anybody who could read it")
	r = p.run(t, 0, "backup", "/root/all.backup", "--recipient", recipient)
	t.Log(r.Stdout, r.Stderr)
	assert.Contains(t, r.Stdout, "5 apps, 2 images")
	r = p.run(t, 1, "backup", "/root/all.backup", "--recipient", recipient)
	assert.Contains(t, r.Stderr, "nothing is overwritten")
	r = p.run(t, 0, "backup", "list", "/root")
	assert.Regexp(t, `(?m)^all\.backup\s`, r.Stdout)
	p.backup, p.key = p.read(t, "/root/all.backup"), p.read(t, "/root/key")
	assert.NotContains(t, string(p.backup), p.word, "it is encrypted")
}

// bucket backs up into a bucket of the carried S3 server.
func (p *platform) bucket(t *testing.T) {
	ip, err := p.host.Output(t.Context(), appliance.Binary, "kubectl", "get", "service", "s3", "-n", "drycc", "-o", "jsonpath={.spec.clusterIP}")
	require.NoError(t, err)
	text := string(p.read(t, "/var/lib/slipway/controller/secrets.json"))
	secret := func(name string) string {
		m := regexp.MustCompile(`"` + name + `": "([^"]+)"`).FindStringSubmatch(text)
		require.Len(t, m, 2, name)
		return m[1]
	}
	endpoint := "http://" + strings.TrimSpace(ip) + ":7070"
	_, err = p.host.Output(t.Context(), "curl", "-fsS", "-X", "PUT", "--aws-sigv4", "aws:amz:us-east-1:s3", "-H", "x-amz-content-sha256: "+sumOfNothing,
		"--user", secret("storageAccessKey")+":"+secret("storageSecretKey"), endpoint+"/backups")
	require.NoError(t, err)
	env := []string{"SLIPWAY_BACKUP_S3_ENDPOINT=" + endpoint, "SLIPWAY_BACKUP_S3_REGION=us-east-1",
		"SLIPWAY_BACKUP_S3_ACCESS_KEY=" + secret("storageAccessKey"), "SLIPWAY_BACKUP_S3_SECRET_KEY=" + secret("storageSecretKey")}
	run := func(code int, env []string, args ...string) appliance.Result {
		r, err := p.m.RunEnv(t.Context(), env, house.Brought, args...)
		require.NoError(t, err)
		require.Equal(t, code, r.Code, "%v\n%s\n%s", args, r.Stdout, r.Stderr)
		return r
	}
	recipient := regexp.MustCompile(`age1[a-z0-9]+`).FindString(string(p.key))
	t.Log(run(0, env, "backup", "s3://backups/daily/one", "--recipient", recipient).Stdout)
	assert.Regexp(t, `(?m)^one\s`, run(0, env, "backup", "list", "s3://backups/daily").Stdout)
	assert.Contains(t, run(0, env, "backup", "verify", "s3://backups/daily/one", "--identity", "/root/key").Stdout, "is whole")
	wrong := append(append([]string{}, env[:3]...), "SLIPWAY_BACKUP_S3_SECRET_KEY=swordfish")
	r := run(1, wrong, "backup", "s3://backups/daily/two", "--recipient", recipient)
	assert.Contains(t, r.Stderr, "refused the keys")
	assert.NotContains(t, r.Stderr, "swordfish")
}

// sumOfNothing is the SHA-256 of an empty request.
const sumOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func (p *platform) drill(t *testing.T) {
	r := p.run(t, 0, "backup", "drill", "/root/all.backup", "--identity", "/root/key")
	t.Log(r.Stdout)
	assert.Contains(t, r.Stdout, "records of 5 apps")
}

func (p *platform) remember(t *testing.T) {
	for _, folder := range []string{"alpha_data", "delta_data"} {
		picture, err := backuptest.Picture(p.path(filepath.Join(volumes, folder)))
		require.NoError(t, err)
		p.pictures[folder] = picture
	}
	for _, app := range p.apps {
		list, err := p.client.Releases(t.Context(), app)
		require.NoError(t, err)
		p.releases[app] = appliance.Versions(list)
	}
	require.NoError(t, p.host.Close())
}

// damaged tries to restore backups that are cut short or changed in one byte.
func (p *platform) damaged(t *testing.T, to site, before appliance.Picture) {
	n := len(p.backup)
	broken := map[string][]byte{}
	for _, at := range []int{0, 100, 300, n / 3, n - 1<<16, n - 1} {
		broken[fmt.Sprintf("cut at %d", at)] = p.backup[:at]
	}
	for _, at := range []int{15, 40, 200, n / 2, n - 1} {
		changed := append([]byte{}, p.backup...)
		changed[at] ^= 4
		broken[fmt.Sprintf("changed at %d", at)] = changed
	}
	for name, data := range broken {
		to.put(t, "/root/broken.backup", data)
		r := to.run(t, 1, "restore", "/root/broken.backup", "--identity", "/root/key")
		t.Logf("%s: %s", name, strings.TrimSpace(r.Stderr[strings.LastIndex(strings.TrimSpace(r.Stderr), "\n")+1:]))
	}
	assert.Empty(t, withoutRoot(before.Diff(house.Photograph(t, to.m))))
}

// restore kills the first restore in the middle of its data.
func (p *platform) restore(t *testing.T, to site) {
	to.put(t, "/root/all.backup", p.backup)
	args := []string{"restore", "/root/all.backup", "--identity", "/root/key", "--domain", newDomain}
	// The shell is replaced by the program, so that its number is known there.
	cmd := to.host.Command(t.Context(), "sh", append([]string{"-c", `echo $$ > /root/pid; exec "$0" "$@"`, house.Brought}, args...)...)
	require.NoError(t, cmd.Start())
	require.NoError(t, appliance.Eventually(t.Context(), deployLimit, func(context.Context) error {
		_, err := os.Stat(to.path("/var/lib/slipway/controller/restore.json"))
		return err
	}))
	_, err := to.host.Output(t.Context(), "sh", "-c", "kill -9 $(cat /root/pid)")
	require.NoError(t, err)
	require.Error(t, cmd.Wait())
	if !strings.Contains(string(to.read(t, "/var/lib/slipway/controller/restore.json")), `"data": true`) {
		r := to.run(t, 1, "install")
		assert.Contains(t, r.Stderr, "was cut off")
	}
	r := to.run(t, 0, args...)
	t.Logf("restored in %.1fs\n%s\n%s", r.Took.Seconds(), r.Stderr, r.Stdout)
	assert.Contains(t, r.Stdout, "http://gamma."+newDomain)
}

// compare looks at everything the first host had.
func (p *platform) compare(t *testing.T, to site) {
	for _, app := range p.apps {
		to.answers(t, "http://"+app+"."+newDomain+"/", "hello of "+app)
	}
	to.answers(t, "http://gamma."+newDomain+"/", `"version":"v2"`)
	to.answers(t, "http://bravo.customer.test/", "hello of bravo")
	for folder, want := range p.pictures {
		got, err := backuptest.Picture(to.path(filepath.Join(volumes, folder)))
		require.NoError(t, err)
		assert.Equal(t, want, got, folder)
	}
	for name, want := range p.certs {
		require.NoError(t, appliance.Eventually(t.Context(), time.Minute, func(context.Context) error {
			if string(to.served(t, name)) != string(want) {
				return fmt.Errorf("%s shows another certificate", name)
			}
			return nil
		}))
	}
	username, word, err := to.m.Credentials(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{p.username, p.word}, []string{username, word})
	p.client = p.client.At(to.m)
	for _, app := range p.apps {
		list, err := p.client.Releases(t.Context(), app)
		require.NoError(t, err, "the token holds")
		assert.Equal(t, p.releases[app], appliance.Versions(list))
	}
}

// goesOn goes back to a release whose image has the old domain in its name, and
// deploys a new one.
func (p *platform) goesOn(t *testing.T, to site) {
	made, err := p.client.Rollback(t.Context(), "gamma", p.releases["gamma"][len(p.releases["gamma"])-2])
	require.NoError(t, err)
	_, err = p.client.WaitRelease(t.Context(), "gamma", made-1, deployLimit)
	require.NoError(t, err)
	to.answers(t, "http://gamma."+newDomain+"/", `"version":"v1"`)
	_, err = p.client.Deployed(t.Context(), "alpha", p.images[1], deployLimit)
	require.NoError(t, err)
	to.answers(t, "http://alpha."+newDomain+"/", `"version":"v2"`)
	r := to.run(t, 0, "status")
	assert.Contains(t, r.Stdout, "All is well.")
}
