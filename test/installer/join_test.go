package installer

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The stand-ins for curl and wget serve files from $DOOR by the last part of
// the address, as a server of a cluster does, and note how they were called.
const (
	fakeCurl = `#!/bin/sh
printf 'curl %s\\n' "$*" >>"$DOOR/called"
out= config= url=
while [ $# -gt 0 ]; do
  case $1 in
    -o) out=$2; shift ;;
    --config) config=$2; shift ;;
    --retry) shift ;;
    https://*) url=$1 ;;
  esac
  shift
done
name=${url##*/} && name=${name%%\?*}
grep -q "^insecure" "$config" || grep -q 'Authorization: Bearer abcdef.0123456789abcdef' "$config" || {
  echo 'the token has ended'
  [ -z "$out" ] || exit 22
  exit 0
}
case $name in cacerts) grep -q "^insecure" "$config" || exit 60 ;; *) grep -q "^cacert" "$config" || exit 60 ;; esac
[ -z "$out" ] || exec cp "$DOOR/$name" "$out"
exec cat "$DOOR/$name"
`
	fakeWget = `#!/bin/sh
printf 'wget %s\\n' "$*" >>"$DOOR/called"
[ "$1" != --version ] || { echo 'GNU Wget 1.21'; exit; }
out=$3 url=$4
name=${url##*/} && name=${name%%\?*}
case $name in
  cacerts) grep -q '^check_certificate = off' "$WGETRC" || exit 5 ;;
  *) grep -q '^ca_certificate' "$WGETRC" && grep -q 'Authorization: Bearer abcdef.0123456789abcdef' "$WGETRC" || exit 6 ;;
esac
exec cp "$DOOR/$name" "$out"
`
)

// door is a folder with what a server gives, and the token for it.
func door(t *testing.T) (dir, token string) {
	t.Helper()
	dir = t.TempDir()
	sum := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	for name, text := range map[string]string{"cacerts": "the authority\n", "binary": program, "binary.sha256": sum(program) + "  slipway\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir, "K10" + sum("the authority\n") + "::abcdef.0123456789abcdef"
}

// joinTools are the programs of a bare host with one downloader.
func joinTools(t *testing.T, downloader, script string) string {
	t.Helper()
	path := tools(t, "sh", "uname", "mktemp", "rm", "cut", "sha256sum", "chmod", "grep", "cp", "cat")
	if downloader != "" {
		require.NoError(t, os.WriteFile(filepath.Join(path, downloader), []byte(script), 0o755))
	}
	return path
}

func TestJoinGetsTheProgramFromTheServer(t *testing.T) {
	for name, c := range map[string]struct{ downloader, script string }{"curl": {"curl", fakeCurl}, "wget": {"wget", fakeWget}} {
		t.Run(name, func(t *testing.T) {
			eachShell(t, func(t *testing.T, shell string) {
				dir, token := door(t)
				for _, env := range []map[string]string{
					{"K3S_URL": "https://10.0.0.1:6443", "K3S_TOKEN": token},
					{"K3S_TOKEN": token + "@https://10.0.0.1:6443"},
					{"K3S_TOKEN_FILE": filepath.Join(dir, "token")},
				} {
					require.NoError(t, os.WriteFile(filepath.Join(dir, "token"), []byte(token+"@https://10.0.0.1:6443"), 0o600))
					env["DOOR"] = dir
					r := run{shell: shell, script: script(t, "install.sh"), path: joinTools(t, c.downloader, c.script), env: env}
					r.perform(t)
					require.Equal(t, 0, r.code, r.stderr)
					assert.Equal(t, []string{"join agent"}, r.called)
					called, err := os.ReadFile(filepath.Join(dir, "called"))
					require.NoError(t, err)
					assert.Contains(t, string(called), "https://10.0.0.1:6443/cacerts")
					assert.Contains(t, string(called), "https://10.0.0.1:9583/v1/binary")
					assert.NotContains(t, string(called)+r.stdout+r.stderr, "0123456789abcdef", "the secret is on no command line")
				}
			})
		})
	}
}

func TestJoinRefuses(t *testing.T) {
	dir, good := door(t)
	wrongSum, _ := door(t)
	require.NoError(t, os.WriteFile(filepath.Join(wrongSum, "binary.sha256"), []byte(strings.Repeat("0", 64)+"  slipway\n"), 0o644))
	for name, c := range map[string]struct {
		token, url, door string
		downloader       string
		says             string
	}{
		"no token":        {"", "https://10.0.0.1:6443", dir, "curl", "set K3S_TOKEN too"},
		"a short token":   {"abcdef.0123456789abcdef", "https://10.0.0.1:6443", dir, "curl", "anybody could pretend"},
		"no address":      {good, "10.0.0.1", dir, "curl", "write https://"},
		"another cluster": {"K10" + strings.Repeat("0", 64) + "::abcdef.0123456789abcdef", "https://10.0.0.1:6443", dir, "curl", "not a server of the cluster"},
		"an ended token":  {strings.Replace(good, "abcdef.", "zzzzzz.", 1), "https://10.0.0.1:6443", dir, "curl", "does not let this host in: the token has ended"},
		"a wrong sum":     {good, "https://10.0.0.1:6443", wrongSum, "curl", "run this again"},
		"no downloader":   {good, "https://10.0.0.1:6443", dir, "", "neither curl nor GNU wget"},
	} {
		t.Run(name, func(t *testing.T) {
			eachShell(t, func(t *testing.T, shell string) {
				r := run{shell: shell, script: script(t, "install.sh"), path: joinTools(t, c.downloader, fakeCurl),
					env: map[string]string{"K3S_URL": c.url, "K3S_TOKEN": c.token, "DOOR": c.door}}
				r.perform(t)
				assert.Equal(t, 1, r.code)
				assert.Contains(t, r.stderr, c.says)
				assert.Empty(t, r.called)
				assert.NotContains(t, r.stdout+r.stderr, "0123456789abcdef")
			})
		})
	}
}

// The stand-ins are shell scripts: one that cannot be read would prove nothing.
func TestStandInsAreScripts(t *testing.T) {
	for _, s := range []string{fakeCurl, fakeWget} {
		cmd := exec.Command("dash", "-n")
		cmd.Stdin = strings.NewReader(s)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
}
