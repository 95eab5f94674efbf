package gitssh_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

// Who may do what: by role, and never more is told than that.
func TestAccess(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.client("alice", app).must("push", "drycc", "main")
	vivian := d.client("vivian", app)
	vivian.must("fetch", "-q", "drycc")
	vivian.refused("You may read hello but not push to it: that takes the role member.", "push", "drycc", "main")

	// Another user's key: an app of others looks like none.
	bobby := d.client("bobby", app)
	foreign := bobby.refused("fatal: remote error: There is no app hello, or you have no access to it.", "push", "drycc", "main")
	absent := bobby.refused("There is no app absent,", "push", d.url("absent"), "main")
	require.Equal(t, foreign, strings.ReplaceAll(absent, "absent", "hello"))
	bobby.refused("There is no app hello,", "fetch", "drycc")
	// Names are compared whole: hell, part of hello, is no app of alice's.
	d.client("alice", "hellos").refused("There is no app hellos", "push", "drycc", "main")
	require.NoDirExists(t, filepath.Join(d.dir, "absent.git"))
	require.Len(t, d.verbs.pushed(), 1)
}

func TestKeys(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.addKey("stranger", "")
	d.client("stranger", app).refused("Permission denied (publickey)", "push", "drycc", "main")

	lost := d.addKey("lost", "alice")
	c := d.client("lost", app)
	c.must("push", "drycc", "main")
	d.verbs.mu.Lock()
	delete(d.verbs.keys, lost)
	d.verbs.mu.Unlock()
	c.commit("more", "x")
	c.refused("Permission denied (publickey)", "push", "drycc", "main")

	_, complaint, code := d.ssh("alice", "-l", "root", "127.0.0.1", "ping")
	require.Equal(t, 255, code)
	require.Contains(t, complaint, "The user name of this server is git")
	out, _, code := d.ssh("alice", "git@127.0.0.1", "ping")
	require.Equal(t, []any{"pong\n", 0}, []any{out, code})
}

// Attack: a client first offers a key of alice that it can't prove, which any
// server answers with "prove it", and then proves bobby's. It must be bobby.
func TestTheProvenKeyCounts(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	// OpenSSH offers the public half of a key whose private half it can't read.
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("unknown"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(d.home, "locked"), pem.EncodeToMemory(block), 0o600))
	public, err := os.ReadFile(filepath.Join(d.home, "alice.pub"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(d.home, "locked.pub"), public, 0o600))

	_, said, code := d.ssh("locked", "-v", "-i", filepath.Join(d.home, "bobby"), "git@127.0.0.1")
	require.Equal(t, 1, code)
	require.Regexp(t, `(?s)Server accepts key: \S*locked.*Server accepts key: \S*bobby`, said)
	require.Contains(t, said, "Hello bobby!")
	require.NotContains(t, said, "Hello alice!")
	_, _, code = d.ssh("locked", "-i", filepath.Join(d.home, "bobby"), "git@127.0.0.1", "git-upload-pack '/"+app+".git'")
	require.Equal(t, 1, code)
}

// Attack: a connection that was opened with a key outlives the key.
func TestRevokedKeyOnAnOpenConnection(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	fingerprint := d.addKey("lost", "alice")
	conn := d.dial("lost")
	said, code := run(t, conn, "git-upload-pack '/hello.git'", "0000")
	require.Equal(t, []any{"0000", 0}, []any{said, code}, "an empty repository")
	d.verbs.mu.Lock()
	delete(d.verbs.keys, fingerprint)
	d.verbs.mu.Unlock()
	said, code = run(t, conn, "git-upload-pack '/hello.git'", "0000")
	require.Contains(t, said, "Your key is not valid any more.")
	require.Equal(t, 1, code)
}

// Nothing but git: every other wish is refused in words.
func TestOnlyGit(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	const host = "git@127.0.0.1"
	tests := map[string]struct {
		args []string
		want string
	}{
		"a shell":       {[]string{host}, "Hello alice! You are known here, but there is no shell"},
		"a terminal":    {[]string{"-tt", host}, "PTY allocation request failed"},
		"a command":     {[]string{host, "id; uname -a"}, "Only git push and git fetch are offered here."},
		"scp":           {[]string{host, "scp -t /etc"}, "Only git push and git fetch are offered here."},
		"an archive":    {[]string{host, "git-upload-archive '/hello.git'"}, "Only git push and git fetch are offered here."},
		"LFS":           {[]string{host, "git-lfs-authenticate hello.git upload"}, "Git LFS is not offered here"},
		"sftp":          {[]string{"-s", host, "sftp"}, "Only git is offered here, no sftp."},
		"a path":        {[]string{host, "git-receive-pack '/../../etc.git'"}, "That is no name of a repository here"},
		"a way through": {[]string{"-W", "127.0.0.1:22", host}, "forwarding is not offered here"},
		"a way back":    {[]string{"-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:22", host}, "remote port forwarding failed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, said, code := d.ssh("alice", tt.args...)
			require.Contains(t, said, tt.want)
			require.Empty(t, out)
			require.NotZero(t, code)
		})
	}
}

// The host's keys stay, are readable by nobody else, and are of all kinds.
func TestHostKeys(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	before := map[string]string{}
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		file := filepath.Join(d.keys, "ssh_host_"+kind+"_key")
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode())
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		before[file] = string(raw)
	}
	for _, algorithm := range []string{"ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512"} {
		_, said, code := d.ssh("alice", "-o", "HostKeyAlgorithms="+algorithm, "git@127.0.0.1", "ping")
		require.Zero(t, code, said)
	}
	for _, weak := range [][]string{{"HostKeyAlgorithms=ssh-rsa"}, {"Ciphers=aes128-cbc"}, {"MACs=hmac-sha1", "Ciphers=aes128-ctr"}, {"KexAlgorithms=diffie-hellman-group14-sha1"}} {
		args := []string{"git@127.0.0.1", "ping"}
		for _, o := range weak {
			args = append([]string{"-o", o}, args...)
		}
		_, said, code := d.ssh("alice", args...)
		require.Equal(t, 255, code, "%v: %s", weak, said)
		require.Contains(t, said, "Unable to negotiate")
	}
	d.stop()
	d.start()
	for file, content := range before {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, content, string(raw))
	}
}
