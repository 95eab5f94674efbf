package pgtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Cluster is the server that the tests of one binary share. The zero value is
// ready; nothing runs before a test asks.
type Cluster struct {
	mu     sync.Mutex
	dir    string
	server *Server
	failed error
	made   int
}

// Run is what a TestMain calls: it runs the tests, ends the server, and
// returns the exit code.
func (c *Cluster) Run(m *testing.M) int {
	code := m.Run()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server != nil {
		if err := c.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping PostgreSQL:", err)
			code = max(code, 1)
		}
	}
	if c.dir != "" {
		_ = os.RemoveAll(c.dir) // a leftover in the temporary directory harms nobody
	}
	return code
}

// Server is the running server.
func (c *Cluster) Server(t testing.TB) *Server {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server == nil && c.failed == nil {
		c.server, c.failed = c.start()
	}
	require.NoError(t, c.failed)
	return c.server
}

func (c *Cluster) start() (*Server, error) {
	var err error
	if c.dir, err = os.MkdirTemp("", "pgtest"); err != nil {
		return nil, err
	}
	return Start(c.dir)
}

// New starts a server that the test has for itself, to stop and begin as it
// likes.
func New(t testing.TB) *Server {
	t.Helper()
	// Not t.TempDir: nobody but us may enter its parent.
	dir, err := os.MkdirTemp("", "pgtest")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	s, err := Start(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })
	return s
}

// Database makes an empty database and returns its URL.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	s := c.Server(t)
	c.mu.Lock()
	c.made++
	name := fmt.Sprintf("test%d", c.made)
	c.mu.Unlock()
	require.NoError(t, s.Create(name, ""))
	return s.URL(name, "")
}

// Create makes a database, as a copy of template unless that is empty.
func (s *Server) Create(name, template string) error {
	if template == "" {
		template = "template0"
	}
	return s.SQL("postgres", "CREATE DATABASE "+name+" TEMPLATE "+template)
}

// SQL runs statements as the server's superuser.
func (s *Server) SQL(database, text string) error {
	cmd := s.command(context.Background(), "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1",
		"-h", s.socket(), "-p", fmt.Sprint(s.port), "-U", User, "-d", database, "-f", "-")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("psql: %w: %s", err, out)
	}
	return nil
}

// Secure has the server offer TLS from its next Begin on, with a certificate
// and its key as PEM.
func (s *Server) Secure(certificate, key []byte) error {
	for name, data := range map[string][]byte{"server.crt": certificate, "server.key": key} {
		path := filepath.Join(s.dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return err
		}
		if err := s.own(path); err != nil {
			return err
		}
	}
	return s.SQL("postgres", "ALTER SYSTEM SET ssl = on")
}
