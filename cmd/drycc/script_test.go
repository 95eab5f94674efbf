package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
	"github.com/slipway-paas/slipway/platform/api/drycc"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/identity"
	"github.com/slipway-paas/slipway/platform/platformtest"
	"github.com/slipway-paas/slipway/platform/store"
)

// updateFlag reads -update; flags of a test binary are global by nature.
var updateFlag = flag.Bool("update", false, "write what was shown into the scripts and into docs/cli.md")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"drycc": func() { os.Exit(run()) }})
}

// stage is a whole controller behind a proxy, so that commands can call it
// by the name that the guide has for it.
type stage struct {
	url     string
	handler http.Handler
	shelf   *shelf
	cluster *filers
	code    atomic.Int64 // with which commands end
}

// play is what runs in the cluster: "cat" gives its input back, a process that
// is attached to counts its input, everything else says its words.
func (s *stage) play(_ context.Context, _ string, words []string, t control.Terminal) (int, error) {
	text := strings.Join(words, " ") + "\n"
	switch {
	case len(words) == 1 && words[0] == "cat" || len(words) == 0 && t.Stdin != nil:
		raw, err := io.ReadAll(t.Stdin)
		if err != nil {
			return 0, err
		}
		text = string(raw)
	case len(words) == 0:
		text = "total 28\n"
	}
	_, err := io.WriteString(t.Stdout, text)
	return int(s.code.Load()), err
}

// ends sets with which code commands end.
func ends(ts *testscript.TestScript, _ bool, args []string) {
	s, _ := ts.Value("stage").(*stage)
	code, err := strconv.Atoi(args[0])
	ts.Check(err)
	s.code.Store(int64(code))
}

func newStage(t testing.TB) *stage {
	t.Helper()
	s := &stage{cluster: newFilers(t), shelf: newShelf(t)}
	s.cluster.Play(s.play)
	ctx, cancel := context.WithCancel(context.Background())
	db, err := store.Open(ctx, filepath.Join(t.TempDir(), "slipway.db"), bytes.Repeat([]byte{7}, store.KeySize))
	require.NoError(t, err)
	id := identity.New()
	require.NoError(t, identity.EnsureAdmin(ctx, db, id, "admin", "admin-password"))
	hash, err := id.HashPassword(ctx, "demo-password")
	require.NoError(t, err)
	for _, name := range []string{"demouser", "otheruser"} {
		_, err = db.CreateUser(ctx, platform.User{Username: name, Email: name + "@example.com", IsActive: true, DateJoined: time.Now()}, hash)
		require.NoError(t, err)
	}
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	core, err := control.New(control.Options{
		Builder: newCarpenter(), Fetcher: platformtest.NewFetcher(t.TempDir(), strings.Repeat("c0ffee12", 5)), Builds: control.BuildOptions{Folder: t.TempDir()},
		Store: db, Cluster: s.cluster, Identity: id, Domain: "example.com", Clock: time.Now,
		Random: rand.NewChaCha8([32]byte{}), Logger: logger, Workers: 2, Registration: platform.RegistrationEnabled,
		EdgeOptions: control.EdgeOptions{Diagnoser: oracle{}},
	})
	require.NoError(t, err)
	s.handler, err = api.NewHandler(api.HandlerOptions{Mounts: s.shelf.mounts(drycc.New(core)), Logger: logger})
	require.NoError(t, err)
	server := httptest.NewServer(proxy(s.handler))
	s.url = server.URL
	done := make(chan error, 1)
	go func() { done <- core.Run(ctx) }()
	t.Cleanup(func() {
		server.Close()
		cancel()
		assert.NoError(t, <-done)
		assert.NoError(t, db.Close())
	})
	return s
}

// proxy answers requests for any host with handler, those by CONNECT too.
func proxy(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			handler.ServeHTTP(w, r)
			return
		}
		self, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		onward, err := net.Dial("tcp", self.String())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer onward.Close()
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(onward, conn); _ = onward.Close() }()
		_, _ = io.Copy(conn, onward)
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *updateFlag, RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			tb, ok := e.T().(testing.TB)
			if !ok {
				return errors.New("this test does not come from testing")
			}
			s := newStage(tb)
			home := filepath.Join(e.WorkDir, "home")
			e.Vars = append(e.Vars, "HOME="+home, "USERPROFILE="+home, "http_proxy="+s.url, "NO_COLOR=1", "GIT_CONFIG_NOSYSTEM=1")
			e.Values["stage"] = s
			return errors.Join(os.MkdirAll(home, 0o755), s.secured(tb, e), writeCertificate(e.WorkDir, "hello.bacongobbler.com"),
				writeChain(e.WorkDir, "www.example.net", "example.net"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"tidy": tidy, "refuse": refuse, "ends": ends, "nodes": nodes, "says": says, "await": await, "carry": carry,
		},
	})
}

// tidy writes what the last command said to the file "said", with what
// differs from run to run made the same.
func tidy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: tidy stdout|stderr")
	}
	text := ts.ReadFile(args[0])
	for _, kind := range [][2]string{
		{`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, "0b1c2d3e-0000-0000-0000-000000000000"},
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, "2026-01-02T03:04:05Z"},
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dUTC`, "2026-01-02T03:04:05UTC"},
		{`\b[A-Za-z0-9]{128}\b`, "<token>"}, {`\b[0-9a-f]{32}\b`, "<key>"},
		{`\b[A-Za-z0-9]{14}\.\.\.[A-Za-z0-9]{14}\b`, "abcdefghijklmn...abcdefghijklmn"},
		{`done in \d+s`, "done in 0s"}, {`(?m)[ \t]+$`, ""},
	} {
		text = regexp.MustCompile(kind[0]).ReplaceAllString(text, kind[1])
	}
	text = strings.ReplaceAll(text, ts.Getenv("WORK"), "$WORK")
	ts.Check(os.WriteFile(ts.MkAbs("said"), []byte(text), 0o644))
}

// refuse has the cluster refuse an image.
func refuse(ts *testscript.TestScript, _ bool, args []string) {
	s, _ := ts.Value("stage").(*stage)
	s.cluster.Refuse(func(d control.Deployment) error {
		for _, p := range d.Processes {
			if p.Image == args[0] {
				return &control.RolloutError{Ptype: p.Ptype, Kind: args[1], Reason: strings.Join(args[2:], " ")}
			}
		}
		return nil
	})
}
