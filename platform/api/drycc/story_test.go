package drycc

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/identity"
	"github.com/slipway-paas/slipway/platform/platformtest"
	"github.com/slipway-paas/slipway/platform/store"
)

// updateFlag reads -update; flags of a test binary are global by nature.
var updateFlag = flag.Bool("update", false, "write what was answered into the stories")

const (
	password   = "correct horse battery staple"
	serviceKey = "the-key-of-the-services"
)

// stage is a whole controller with its API: real store, real core, a cluster
// in memory. Its clock moves a minute at each request.
type stage struct {
	t       *testing.T
	handler http.Handler
	core    *control.Controller
	cluster *platformtest.Cluster
	path    string // of the database
	catalog *platformtest.Catalog
	builder *platformtest.Builder
	fetcher *platformtest.Fetcher
	watch   *sql.Conn // sees from outside whether the database changed
	minute  atomic.Int64
	tokens  map[string]string
	gate    *platformtest.Gate
	log     *bytes.Buffer
	names   map[string]string // "0b1c…" → "<uuid-1>"
	secrets map[string]string // "<uuid-1>" → "0b1c…"
	covered map[string]bool
	cookies map[string][]*http.Cookie // of the browsers, by who sits there
}

// newStage makes a stage; options change what its controller is made of.
func newStage(t *testing.T, options ...func(*control.Options)) *stage {
	t.Helper()
	s := &stage{t: t, tokens: map[string]string{}, log: &bytes.Buffer{}, names: map[string]string{},
		secrets: map[string]string{}, cookies: map[string][]*http.Cookie{}, covered: map[string]bool{}, cluster: platformtest.NewCluster(), catalog: platformtest.NewCatalog(),
		builder: platformtest.NewBuilder(), fetcher: platformtest.NewFetcher(t.TempDir(), strings.Repeat("c0ffee12", 5))}
	t.Cleanup(s.cluster.Close)
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "slipway.db")
	s.path = path
	db, err := store.Open(ctx, path, bytes.Repeat([]byte{7}, store.KeySize))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	outside, err := sql.Open("sqlite3", "file:"+path+"?mode=ro")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, outside.Close()) })
	s.watch, err = outside.Conn(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.watch.Close()) })

	id := identity.New()
	require.NoError(t, identity.EnsureAdmin(ctx, db, id, "admin", password))
	hash, err := id.HashPassword(ctx, password)
	require.NoError(t, err)
	for _, name := range []string{"adalove", "bobross"} {
		_, err := db.CreateUser(ctx, platform.User{
			Username: name, Email: name + "@example.com", IsActive: true, DateJoined: s.now(),
		}, hash)
		require.NoError(t, err)
	}
	logger := logrus.New()
	logger.SetOutput(s.log)
	made := control.Options{
		Store: db, Cluster: s.cluster, Identity: id, Domain: "slipway.localhost", Clock: s.now,
		Random: rand.NewChaCha8([32]byte{}), Logger: logger, Workers: 2, ServiceKey: serviceKey,
		EdgeOptions: control.EdgeOptions{Addresses: func() []platform.Address { return []platform.Address{{Type: "IPAddress", Value: "192.0.2.10"}} }, Diagnoser: oracle{s.now}},
		Catalog:     s.catalog,
		Builder:     s.builder, Fetcher: s.fetcher, Builds: control.BuildOptions{Folder: t.TempDir()},
		SignOn: provider{},
	}
	for _, change := range options {
		change(&made)
	}
	s.core, err = control.New(made)
	require.NoError(t, err)
	plenty := api.Rate{PerSecond: 1e6, Burst: 1e6}
	s.handler, err = api.NewHandler(api.HandlerOptions{Mounts: []api.Mount{{Dialect: New(s.core)}}, Logger: logger,
		Limits: api.Limits{Anonymous: plenty, Token: plenty, Remote: plenty}})
	require.NoError(t, err)
	s.addCerts()
	s.run()
	s.settle()
	for _, name := range []string{"admin", "adalove", "bobross"} {
		s.login(name)
	}
	return s
}

func (s *stage) now() time.Time {
	return time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC).Add(time.Duration(s.minute.Load()) * time.Minute)
}

// run works the queues until the test ends.
func (s *stage) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.core.Run(ctx) }()
	s.t.Cleanup(func() { cancel(); assert.NoError(s.t, <-done) })
}

// login gets a token the way clients do.
func (s *stage) login(name string) { s.loginWith(name, password) }

func (s *stage) loginWith(name, password string) {
	body := fmt.Sprintf(`{"username": %q, "password": %q}`, name, password)
	var key struct{ Key string }
	require.NoError(s.t, json.Unmarshal(s.send("nobody", "POST", "/v2/auth/login/", body).Body.Bytes(), &key))
	var token struct{ Token string }
	require.NoError(s.t, json.Unmarshal(s.send("nobody", "GET", "/v2/auth/token/"+key.Key+"/?alias=workflow-cli", "").Body.Bytes(), &token))
	require.Len(s.t, token.Token, 128)
	s.tokens[name] = token.Token
}

func (s *stage) send(who, method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://drycc.slipway.localhost"+target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	name, password, basic := strings.Cut(who, ":")
	if basic {
		r.SetBasicAuth(name, password)
		who = "nobody"
	}
	s.sitDown(who, target, r)
	switch who {
	case "nobody", "browser", "another-browser":
	case "stranger":
		r.Header.Set("Authorization", "token "+strings.Repeat("x", 128))
	case "forge":
		r.Header.Set("X-Gitlab-Token", s.secrets["<secret-1>"])
	case "service":
		r.Header.Set("X-Drycc-Service-Key", serviceKey)
	case "bearer":
		r.Header.Set("Authorization", "Bearer "+serviceKey)
	case "wrongkey":
		r.Header.Set("X-Drycc-Service-Key", serviceKey+"x")
	default:
		require.Contains(s.t, s.tokens, who)
		r.Header.Set("Authorization", "token "+s.tokens[who])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	s.cookies[who] = append(s.cookies[who], w.Result().Cookies()...)
	return w
}

// settle waits until the controller has nothing to do, or until the call that
// is held has come.
func (s *stage) settle() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if s.gate == nil {
		require.NoError(s.t, s.core.Idle(ctx))
		return
	}
	select {
	case <-s.gate.Reached:
	case <-ctx.Done():
		s.t.Fatal("the held call never came")
	}
}

// version changes with every change of the database.
func (s *stage) version() (n int64) {
	require.NoError(s.t, s.watch.QueryRowContext(context.Background(), "PRAGMA data_version").Scan(&n))
	return n
}

// request sends one request of a story and checks what holds for every one.
func (s *stage) request(who, method, target, body string) *httptest.ResponseRecorder {
	s.minute.Add(1)
	for name, secret := range s.secrets {
		who = strings.ReplaceAll(who, name, secret)
		target, body = strings.ReplaceAll(target, name, secret), strings.ReplaceAll(body, name, secret)
	}
	body = treeIn(body)
	before, calls := s.version(), len(s.cluster.Calls(""))
	w := s.send(who, method, target, body)
	line := method + " " + target
	assert.Equal(s.t, []string{"2.3"}, exactly(w, "DRYCC_API_VERSION"), line)
	if w.Code >= 400 && w.Code < 500 {
		assert.Equal(s.t, before, s.version(), "%s answered %d and changed the database", line, w.Code)
		assert.Len(s.t, s.cluster.Calls(""), calls, "%s answered %d and changed the cluster", line, w.Code)
	}
	if method != http.MethodGet || s.gate == nil {
		s.settle()
	}
	s.compareSlash(who, method, target, w)
	s.checkShape(method, target, w)
	return w
}

// compareSlash asks again with the slash at the end of the path turned round.
func (s *stage) compareSlash(who, method, target string, w *httptest.ResponseRecorder) {
	path, query, _ := strings.Cut(target, "?")
	if method != http.MethodGet || strings.Contains(path, "/auth/token/") || strings.Contains(path, "/filer/") || strings.HasPrefix(path, completePath) {
		return
	}
	if strings.HasSuffix(path, "/") {
		path = strings.TrimSuffix(path, "/")
	} else {
		path += "/"
	}
	other := s.send(who, method, path+"?"+query, "")
	assert.Equal(s.t, w.Code, other.Code, path)
	slashes := strings.NewReplacer("/?", "?") // the addresses of other pages keep the path as it was asked
	assert.Equal(s.t, slashes.Replace(w.Body.String()), slashes.Replace(other.Body.String()), path)
}

// tidy makes an answer fit for comparison: indented, and with names for what
// differs from run to run. Equal things get equal names.
func (s *stage) tidy(w *httptest.ResponseRecorder) []string {
	status := fmt.Sprint(w.Code)
	for _, h := range []string{"WWW-Authenticate", "Allow", "Location", runHeader} {
		if v := w.Header().Get(h); v != "" {
			status += "  " + h + ": " + v
		}
	}
	text := strings.TrimSpace(pageFrame.ReplaceAllString(w.Body.String(), ""))
	var indented bytes.Buffer
	if json.Indent(&indented, []byte(text), "", "  ") == nil {
		text = indented.String()
	}
	text = status + "\n" + text
	for _, kind := range []struct{ name, pattern string }{
		{"uuid", `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`},
		{"secret", `\b[A-Z2-7]{52}\b`}, {"token", `\b[A-Za-z0-9]{128}\b`}, {"key", `\b[0-9a-f]{32}\b`}, {"form", `\b[0-9a-f]{64}\b`},
		{"fuzzy", `\b[A-Za-z0-9]{14}\.\.\.[A-Za-z0-9]{14}\b`},
	} {
		text = regexp.MustCompile(kind.pattern).ReplaceAllStringFunc(text, func(found string) string {
			return s.nameFor(kind.name, found)
		})
	}
	// The store and the installer's part keep to the system's clock here and there.
	text = regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:]{8}Z`).ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasPrefix(found, "2026-01-02T") {
			return found
		}
		return "<now>"
	})
	return strings.Split(strings.TrimSpace(text), "\n")
}

func (s *stage) nameFor(kind, secret string) string {
	if name, ok := s.names[secret]; ok {
		return name
	}
	for n := 1; ; n++ {
		name := fmt.Sprintf("<%s-%d>", kind, n)
		if _, taken := s.secrets[name]; !taken {
			s.names[secret], s.secrets[name] = name, secret
			return name
		}
	}
}

// direct carries out a line that begins with "!".
func (s *stage) direct(line string) {
	words := strings.Fields(line)
	switch words[0] {
	case "refuse": // refuse <image> <kind> <reason>: releases of that image crash
		s.cluster.Refuse(func(d control.Deployment) error {
			for _, p := range d.Processes {
				if p.Image == words[1] {
					return &control.RolloutError{Ptype: p.Ptype, Kind: words[2], Reason: strings.Join(words[3:], " ")}
				}
			}
			return nil
		})
	case "away": // away <call>: the cluster does not answer
		s.cluster.Fail(words[1], &platform.Error{Code: platform.Unavailable, Message: "the cluster does not answer", Err: os.ErrDeadlineExceeded})
	case "login": // login <name> <password>: as clients do
		s.loginWith(words[1], words[2])
	case "token": // token <name> <token-n>: they have that one
		s.tokens[words[1]] = s.secrets[words[2]]
	case "back":
		s.cluster.Fail(words[1], nil)
	case "say": // say <app> <ptype> <pod> <text>: a line in the log of a pod
		s.cluster.Say(words[1], platform.LogLine{Time: s.now(), Ptype: words[2], Pod: words[3], Text: strings.Join(words[4:], " ")})
	case "use": // use <app> <pod>: the node tells what the pod uses
		s.cluster.Use(words[1], platform.PodUsage{Pod: words[2], CPUSeconds: 1.5, Memory: 1 << 20, Disk: 4096, Received: 10, Sent: -1})
	case "steps": // steps fail|pass: what becomes of run steps
		s.cluster.RefuseStep(func(_ control.Deployment, j control.Job) error {
			if words[1] == "pass" {
				return nil
			}
			return &control.RolloutError{Ptype: j.For, Kind: "RunFailed", Restored: true,
				Reason: "the run step ended with code 1; its last output:\nno such table"}
		})
	case "hold": // hold <call>: the next one waits
		s.gate = s.cluster.HoldBefore(words[1])
	case "deny": // deny <code> <text>: the gateway does not take what apps show
		s.cluster.Deny(func(control.Exposure) error {
			return platform.Errorf(platform.Invalid, "%s", strings.Join(words[1:], " "))
		})
	case "go":
		s.gate.Open()
		s.gate = nil
		s.settle()
	default:
		if !s.directBuilds(words) && !s.directVolumes(words) {
			s.t.Fatalf("no directive %q", line)
		}
	}
}
