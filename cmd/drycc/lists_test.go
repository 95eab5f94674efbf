package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// words are the arguments of commands that show one object, by the command.
func words(path string) string {
	return map[string]string{
		"drycc certs info": "example-com", "drycc gateways info": "scenic-icehouse", "drycc ps describe": "scenic-icehouse-web-0",
		"drycc pts describe": "web", "drycc releases info": "v2", "drycc routes info": "scenic-icehouse",
		"drycc volumes info": "myvolume", "drycc workspaces info": "demouser", "drycc volumes client ls": "vol://myvolume/",
	}[path]
}

// unlisted are commands with -o that need what is not here, or that make
// something: scripts run them.
func unlisted(path string) bool {
	switch path {
	case "drycc resources describe", "drycc resources plans", "drycc tokens add":
		return true
	}
	return false
}

// showing lists the command lines of all commands with -o, each with the
// words that it needs.
func showing(t *testing.T) []string {
	var lines []string
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		path := c.CommandPath()
		if c.Flags().Lookup("output") != nil && !unlisted(path) {
			lines = append(lines, strings.TrimSpace(strings.TrimPrefix(path, "drycc ")+" "+words(path)))
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newProgram(nil, nil, nil, func(string) string { return "" }).root)
	require.Greater(t, len(lines), 60)
	return lines
}

// desk runs command lines of a user who has an app with one of everything.
type desk struct {
	dir string
	env []string
}

func newDesk(t *testing.T) *desk {
	s := newStage(t)
	d := &desk{dir: t.TempDir()}
	d.env = append(os.Environ(), "HOME="+d.dir, "DRYCC_APP=scenic-icehouse", "DRYCC_PROFILE=", "http_proxy=")
	require.NoError(t, writeCertificate(d.dir, "hello.bacongobbler.com"))
	key := "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me@here"
	require.NoError(t, os.WriteFile(filepath.Join(d.dir, "id.pub"), []byte(key), 0o600))
	for _, line := range []string{
		"login " + s.url + " -u admin -p admin-password -c admin", "login " + s.url + " -u demouser -p demo-password",
	} {
		d.run(t, line)
	}
	return d
}

// furnish makes one of everything.
func (d *desk) furnish(t *testing.T) {
	for _, line := range []string{
		"create scenic-icehouse --no-remote", "pull drycc/example-go", "config set A=1", "registry set someone secret",
		"timeouts set web=60", "tags set environ=prod", "labels set team=one", "autoscale set web --min=1 --max=2 --cpu-percent=75",
		"healthchecks set livenessProbe httpGet 80", "lifecycles set preStop exec -- sleep 5", "volumes add myvolume 1G",
		"volumes mount myvolume web=/data", "domains add hello.bacongobbler.com", "certs add example-com server.crt server.key",
		"keys add id.pub", "perms add otheruser", "services add web 8001:8001",
		"builds hook create https://git.example.com/blog.git",
	} {
		d.run(t, line)
	}
}

func (d *desk) run(t *testing.T, line string) string {
	t.Helper()
	cmd := exec.Command("drycc", strings.Fields(line)...)
	cmd.Dir, cmd.Env = d.dir, d.env
	var said, complained strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &complained
	require.NoError(t, cmd.Run(), "%s: %s", line, &complained)
	return said.String()
}

// Everything that is shown is shown for programs as well: with objects, and
// with none, where a list is [] or {} and never null.
func TestWhatIsShownIsJSON(t *testing.T) {
	d := newDesk(t)
	d.run(t, "create scenic-icehouse --no-remote")
	for _, line := range showing(t) {
		if strings.HasSuffix(line, " list") {
			text := d.run(t, line+" -o json"+asAdmin(line))
			assert.True(t, json.Valid([]byte(text)), "%s: %s", line, text)
			assert.NotEqual(t, "null", strings.TrimSpace(text), line)
		}
	}
	d.run(t, "destroy --confirm scenic-icehouse")
	d.furnish(t)
	for _, line := range showing(t) {
		text := d.run(t, line+" -o json"+asAdmin(line))
		var fromJSON, fromYAML any
		require.NoError(t, json.Unmarshal([]byte(text), &fromJSON), "%s: %s", line, text)
		require.NoError(t, yaml.Unmarshal([]byte(d.run(t, line+" -o yaml"+asAdmin(line))), &fromYAML), line)
		assert.NotNil(t, fromJSON, line)
		assert.IsType(t, fromJSON, fromYAML, line)
	}
}

func asAdmin(line string) string {
	if strings.HasPrefix(line, "users") {
		return " -c admin"
	}
	return ""
}
