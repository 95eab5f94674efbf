package gitssh_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/gitssh"
)

const app = "hello"

// TestMain is the hook too: git runs the test binary under its name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == gitssh.HookName {
		gitssh.HookMain()
	}
	if base := os.Getenv(envServe); base != "" {
		fmt.Fprintln(os.Stderr, serveAlone(base))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// verbs is a Control with a few users and apps. It notes what is pushed, and
// fails or blocks when told to.
type verbs struct {
	mu     sync.Mutex
	keys   map[string]string                   // fingerprint → user
	apps   map[string]string                   // app → UUID
	roles  map[string]map[string]platform.Role // app → user → role
	orders []order
	build  func(ctx context.Context, o order, log io.Writer) (platform.Release, error)
	late   bool // a release that was made counts although the pusher has gone
}

// silent is a ref that is refused before there is a log.
const silent = "refs/heads/silent"

// order is a call of PushSource.
type order struct {
	user, app string
	control.Source
	files map[string]string // of the tar: name → content, "→target" for links, "/" for folders
}

var _ gitssh.Control = (*verbs)(nil)

func (v *verbs) KeyOwner(_ context.Context, fingerprint string) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if name, ok := v.keys[fingerprint]; ok {
		return name, nil
	}
	return "", platform.Errorf(platform.NotFound, "No Key matches the given query.")
}

func (v *verbs) RepoAccess(_ context.Context, username, app string) (platform.App, platform.Role, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	role := v.roles[app][username]
	if v.apps[app] == "" || role == platform.NoRole {
		return platform.App{}, platform.NoRole, platform.Errorf(platform.NotFound, "No App matches the given query.")
	}
	return platform.App{ID: app, UUID: v.apps[app]}, role, nil
}

func (v *verbs) AppUUID(_ context.Context, app string) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.apps[app] == "" {
		return "", platform.Errorf(platform.NotFound, "No App matches the given query.")
	}
	return v.apps[app], nil
}

func (v *verbs) PushSource(ctx context.Context, username, app string, s control.Source, log io.Writer) (platform.Release, error) {
	files, err := untar(s.Tar)
	if err != nil {
		return platform.Release{}, err
	}
	o := order{user: username, app: app, Source: s, files: files}
	v.mu.Lock()
	v.orders = append(v.orders, o)
	version, build := len(v.orders)+1, v.build
	v.mu.Unlock()
	if s.Ref == silent {
		return platform.Release{}, platform.Errorf(platform.Unavailable, "this platform has no builder")
	}
	fmt.Fprintln(log, "---> Starting build... but first, coffee!")
	if build != nil {
		r, err := build(ctx, o, log)
		if ctx.Err() != nil && !v.late {
			err = context.Cause(ctx)
		}
		if err != nil {
			fmt.Fprintf(log, "---> Build failed: %v\n", err)
		}
		return r, err
	}
	fmt.Fprintf(log, "---> Done, %s:v%d deployed to Workflow\n", app, version)
	return platform.Release{App: app, Version: version, State: platform.ReleaseSucceeded}, nil
}

func (v *verbs) onBuild(f func(ctx context.Context, o order, log io.Writer) (platform.Release, error)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.build = f
}

func (v *verbs) keepReleases() { v.late = true }

func (v *verbs) pushed() []order {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]order{}, v.orders...)
}

// door is a running server with alice, who may push, vivian, who may look, and
// bobby, who has an app of his own.
type door struct {
	t     *testing.T
	verbs *verbs
	dir   string // repositories
	keys  string // the host's
	home  string // private keys of users
	port  string
	known string // file of known hosts
	stop  func() // may be called again
	log   *bytes.Buffer
}

type option func(*gitssh.Options)

func limits(l gitssh.Limits) option { return func(o *gitssh.Options) { o.Limits = l } }

func openDoor(t *testing.T, options ...option) *door {
	t.Helper()
	base := t.TempDir()
	d := &door{
		t: t, dir: filepath.Join(base, "git"), keys: filepath.Join(base, "ssh"), home: filepath.Join(base, "home"),
		verbs: &verbs{
			keys:  map[string]string{},
			apps:  map[string]string{app: "uuid-1", "other": "uuid-2"},
			roles: map[string]map[string]platform.Role{app: {"alice": platform.Member, "adam": platform.Admin, "vivian": platform.Viewer}, "other": {"bobby": platform.Admin}},
		},
		log: &bytes.Buffer{},
	}
	require.NoError(t, os.Mkdir(d.home, 0o700))
	for _, name := range []string{"alice", "adam", "vivian", "bobby"} {
		d.addKey(name, name)
	}
	d.start(options...)
	return d
}

// start runs a server over the door's folders.
func (d *door) start(options ...option) {
	d.t.Helper()
	logger := logrus.New()
	logger.SetOutput(&locked{w: d.log})
	executable, err := os.Executable()
	require.NoError(d.t, err)
	o := gitssh.Options{
		Addrs: []string{"127.0.0.1:0"}, Dir: d.dir, KeyDir: d.keys, Hook: executable, Control: d.verbs, Logger: logger,
		Git: hostGit(d.t), Grace: 10 * time.Second, Limits: gitssh.Limits{Free: 1},
	}
	for _, f := range options {
		f(&o)
	}
	server, err := gitssh.New(o)
	require.NoError(d.t, err)
	addrs, err := server.Listen(d.t.Context())
	require.NoError(d.t, err)
	_, d.port, err = net.SplitHostPort(addrs[0].String())
	require.NoError(d.t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(d.t.Context()))
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	d.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(d.t, <-done)
	})
	d.t.Cleanup(d.stop)
	d.know()
}

// know makes the host's keys known to clients.
func (d *door) know() {
	d.known = filepath.Join(d.home, "known_hosts")
	var known []byte
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		key, err := os.ReadFile(filepath.Join(d.keys, "ssh_host_"+kind+"_key"))
		require.NoError(d.t, err)
		known = append(known, knownHost(d.t, d.port, key)...)
	}
	require.NoError(d.t, os.WriteFile(d.known, known, 0o600))
}

// hostGit is the git of this machine, or the carried one that SLIPWAY_TEST_GIT
// leads to: the folder it was staged to.
func hostGit(t *testing.T) gitssh.Git {
	if root := os.Getenv("SLIPWAY_TEST_GIT"); root != "" {
		lib, loader := filepath.Join(root, "lib"), filepath.Join(root, "lib", "ld.so")
		core := filepath.Join(root, "core")
		return gitssh.Git{
			Path: loader,
			Args: []string{loader, "--library-path", lib, "--argv0", "git", filepath.Join(root, "git")},
			Env:  []string{"PATH=" + core, "GIT_EXEC_PATH=" + core},
		}
	}
	path, err := exec.LookPath("git")
	require.NoError(t, err)
	return gitssh.Git{Path: path, Args: []string{"git"}, Env: []string{"PATH=" + os.Getenv("PATH")}}
}

// locked makes a buffer fit for a logger that is read from.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// client is somebody's machine: git with a key.
type client struct {
	*door
	key string // name of the file
	dir string // of the working tree
}

// client makes a repository with one commit, with a remote called drycc.
func (d *door) client(key, app string) *client {
	d.t.Helper()
	c := &client{door: d, key: key, dir: d.t.TempDir()}
	c.must("init", "-q", "-b", "main")
	c.commit("Dockerfile", "FROM scratch\n")
	c.must("remote", "add", "drycc", d.url(app))
	return c
}

func (d *door) url(app string) string { return "ssh://git@127.0.0.1:" + d.port + "/" + app + ".git" }

func (d *door) sshCommand(key string) string {
	return strings.Join(append([]string{"ssh"}, d.sshArgs(key)...), " ")
}

func (d *door) sshArgs(key string) []string {
	return []string{"-F", "/dev/null", "-o", "IdentitiesOnly=yes", "-o", "UserKnownHostsFile=" + d.known,
		"-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-i", filepath.Join(d.home, key)}
}

func (c *client) write(name, content string) {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	require.NoError(c.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(c.t, os.WriteFile(path, []byte(content), 0o644))
}

func (c *client) commit(name, content string) {
	c.t.Helper()
	c.write(name, content)
	c.must("add", "-A")
	c.must("commit", "-q", "-m", "change "+name)
}

// command is git, ready to run.
func (c *client) command(args ...string) *exec.Cmd {
	cmd := exec.Command("git", args...)
	cmd.Dir = c.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.home, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
		"GIT_SSH_COMMAND=" + c.sshCommand(c.key), "GIT_TERMINAL_PROMPT=0",
	}
	return cmd
}

// git runs git and returns all that it prints.
func (c *client) git(args ...string) (string, error) {
	out, err := c.command(args...).CombinedOutput()
	return string(out), err
}

func (c *client) must(args ...string) string {
	c.t.Helper()
	out, err := c.git(args...)
	require.NoError(c.t, err, out)
	return strings.TrimSpace(out)
}

// refused runs git and expects it to fail in these words.
func (c *client) refused(want string, args ...string) string {
	c.t.Helper()
	out, err := c.git(args...)
	require.Error(c.t, err, out)
	require.Contains(c.t, out, want)
	return out
}

// at is the commit of a ref in the door's repository, empty when it is absent.
func (d *door) at(app, ref string) string {
	out, err := exec.Command("git", "-C", filepath.Join(d.dir, app+".git"), "rev-parse", "--verify", "--quiet", ref).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// ssh runs OpenSSH with a line to execute, which may be empty.
func (d *door) ssh(key string, args ...string) (stdout, stderr string, code int) {
	d.t.Helper()
	cmd := exec.Command("ssh", append(append(d.sshArgs(key), "-p", d.port, "-o", "ConnectTimeout=60"), args...)...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	if err != nil {
		require.IsType(d.t, &exec.ExitError{}, err)
	}
	return out.String(), complaint.String(), cmd.ProcessState.ExitCode()
}

func random(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never errs
	return string(raw)
}

// feed runs git with some input and returns what it prints.
func (c *client) feed(input string, args ...string) string {
	c.t.Helper()
	cmd := c.command(args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.Output()
	require.NoError(c.t, err)
	return strings.TrimSpace(string(out))
}

// scratch lists the trees that are being built.
func (d *door) scratch() []string {
	d.t.Helper()
	left, err := filepath.Glob(filepath.Join(d.dir, ".scratch", "*"))
	require.NoError(d.t, err)
	return left
}
