//go:build e2e

package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/harness"
)

// nginx is Debian's, beside the gateway: in the host's network, with a folder,
// a configuration and a process of its own.
type nginx struct {
	pid                   int
	plainPort, securePort int
	site                  site
}

// nginxConfig does what the gateway does for an app: connections are kept on
// both sides, and the app is told who asks.
const nginxConfig = `
daemon off;
user root;
worker_processes auto;
pid %[1]s/pid;
error_log %[1]s/error.log;
events { worker_connections 4096; }
http {
  access_log %[6]s;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  keepalive_timeout 180s;
  keepalive_requests 100000000;
  upstream app { server %[2]s; keepalive 100; }
  server {
    listen 127.0.0.1:%[3]d;
    listen 127.0.0.1:%[4]d ssl;
    server_name %[5]s;
    ssl_certificate %[1]s/chain.pem;
    ssl_certificate_key %[1]s/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Real-Ip $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
    }
  }
}
`

// startNginx starts it with the site's certificate and the pod behind it. It
// logs requests when the gateway does.
func startNginx(t *testing.T, h *harness.Host, s site, pod string, logs bool) *nginx {
	t.Helper()
	program, err := exec.LookPath("nginx")
	require.NoError(t, err, "run scripts/deps.sh bench first")
	n := &nginx{plainPort: 18080, securePort: 18443, site: s}
	dir := t.TempDir()
	log := "off"
	if logs {
		log = dir + "/access.log combined buffer=64k"
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "chain.pem"), s.chain, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key.pem"), s.key, 0o600))
	config := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(nginxConfig, dir, pod, n.plainPort, n.securePort, s.name, log)
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	cmd := h.Network(t.Context(), program, "-p", dir, "-c", config)
	var said strings.Builder
	cmd.Stderr = &said
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) } // its workers end with it
	cmd.WaitDelay = 10 * time.Second
	require.NoError(t, cmd.Start())
	n.pid = cmd.Process.Pid
	t.Cleanup(func() {
		_ = cmd.Process.Signal(unix.SIGTERM)
		_ = cmd.Wait()
	})
	err = appliance.Eventually(t.Context(), 10*time.Second, func(ctx context.Context) error {
		return h.Network(ctx, "curl", "-fsS", "-o", "/dev/null", "-H", "Host: "+s.name, fmt.Sprintf("http://127.0.0.1:%d/", n.plainPort)).Run()
	})
	require.NoError(t, err, "nginx: %s", said.String())
	return n
}
