package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/webdav"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
	"github.com/slipway-paas/slipway/platform/api/download"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/platformtest"
)

// filers is a cluster whose file servers are real ones, over memory.
type filers struct {
	*platformtest.Cluster
	mu      sync.Mutex
	running map[string]*httptest.Server // by "app/volume"
}

func newFilers(t testing.TB) *filers {
	f := &filers{Cluster: platformtest.NewCluster(), running: map[string]*httptest.Server{}}
	t.Cleanup(func() {
		for _, server := range f.running {
			server.Close()
		}
	})
	return f
}

// StartFiler serves an empty folder to who knows the passwords.
func (f *filers) StartFiler(ctx context.Context, a platform.App, want control.Filer) (control.Filer, error) {
	have, err := f.Cluster.StartFiler(ctx, a, want)
	f.mu.Lock()
	defer f.mu.Unlock()
	if key := a.ID + "/" + want.Volume.Name; err == nil && f.running[key] == nil {
		files := &webdav.Handler{Prefix: have.Prefix, FileSystem: webdav.NewMemFS(), LockSystem: webdav.NewMemLS()}
		f.running[key] = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if name, password, _ := r.BasicAuth(); name != control.FilerWriter || password != have.Writer {
				http.Error(w, "wrong password", http.StatusUnauthorized)
				return
			}
			files.ServeHTTP(w, r)
		}))
	}
	return have, err
}

// FindFiler says where a file server listens.
func (f *filers) FindFiler(_ context.Context, app, volume string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if server := f.running[app+"/"+volume]; server != nil {
		return server.Listener.Addr().(*net.TCPAddr).String(), nil
	}
	return "", nil
}

// shelf is the programs that the controller gives out; scripts change them.
type shelf struct {
	atomic.Pointer[download.Handler]
}

func newShelf(t testing.TB) *shelf {
	t.Helper()
	s := &shelf{}
	none, err := download.New(nil)
	require.NoError(t, err)
	s.Store(none)
	return s
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request)       { s.Load().ServeHTTP(w, r) }
func (s *shelf) Fail(w http.ResponseWriter, r *http.Request, err error) { s.Load().Fail(w, r, err) }

// mounts are the parts of a controller that its client calls.
func (s *shelf) mounts(d api.Dialect) []api.Mount {
	return []api.Mount{{Prefix: download.ScriptPath, Dialect: s}, {Prefix: download.Prefix, Dialect: s}, {Dialect: d}}
}

// programs is a folder as the appliance carries it: one program, with its
// sha256 or a wrong one.
func programs(version, content string, damaged bool) (fstest.MapFS, error) {
	sum := sha256.Sum256([]byte(content))
	if damaged {
		sum[0]++
	}
	name := "drycc-" + runtime.GOOS + "-" + runtime.GOARCH
	var packed bytes.Buffer
	encoder, err := zstd.NewWriter(&packed)
	if err != nil {
		return nil, err
	}
	members := tar.NewWriter(encoder)
	err = members.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))})
	_, writeErr := io.WriteString(members, content)
	if err := errors.Join(err, writeErr, members.Close(), encoder.Close()); err != nil {
		return nil, err
	}
	index, err := json.Marshal(map[string]any{"version": version, "files": map[string]any{
		name: map[string]any{"archive": "all.tar.zst", "sha256": hex.EncodeToString(sum[:]), "size": len(content)},
	}})
	return fstest.MapFS{"all.tar.zst": {Data: packed.Bytes()}, "index.json": {Data: index}}, err
}

// carry has the controller carry a client: carry VERSION FILE [damaged].
func carry(ts *testscript.TestScript, _ bool, args []string) {
	files, err := programs(args[0], ts.ReadFile(args[1]), len(args) == 3)
	ts.Check(err)
	handler, err := download.New(files)
	ts.Check(err)
	stageOf(ts).shelf.Store(handler)
}

func stageOf(ts *testscript.TestScript) *stage {
	s, ok := ts.Value("stage").(*stage)
	if !ok {
		ts.Fatalf("this script has no stage")
	}
	return s
}

// nodes says which labels the one node carries: nodes [key=value]...
func nodes(ts *testscript.TestScript, _ bool, args []string) {
	labels := map[string]string{}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		labels[key] = value
	}
	stageOf(ts).cluster.SetNodes(labels)
}

// says has a pod say something: says APP POD WORD...
func says(ts *testscript.TestScript, _ bool, args []string) {
	ptype := strings.TrimPrefix(args[1], args[0]+"-")
	ptype, _, _ = strings.Cut(ptype, "-")
	stageOf(ts).cluster.Say(args[0], platform.LogLine{
		Time: time.Now(), Ptype: ptype, Pod: args[1], Text: strings.Join(args[2:], " "),
	})
}

// await waits until a file has a line: await FILE REGEXP.
func await(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile("(?m)" + args[1])
	for deadline := time.Now().Add(30 * time.Second); ; {
		raw, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && want.Match(raw) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s never had %q: %s", args[0], args[1], raw)
		}
		time.Sleep(10 * time.Millisecond) // a file tells nobody that it grew
	}
}

// secured serves the controller by HTTPS as well, with a certificate that
// nobody trusts: its address is $HTTPS, its certificate $WORK/ca.crt.
func (s *stage) secured(t testing.TB, e *testscript.Env) error {
	server := httptest.NewTLSServer(s.handler)
	t.Cleanup(server.Close)
	e.Vars = append(e.Vars, "HTTPS="+server.URL, "HTTP="+s.url)
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(e.WorkDir+"/ca.crt", block, 0o644); err != nil {
		return fmt.Errorf("certificate of the stage: %w", err)
	}
	return nil
}
