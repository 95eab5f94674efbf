//go:build e2e

package fleet

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/platformtest/pgtest"
	"github.com/slipway-paas/slipway/test/appliance"
	"github.com/slipway-paas/slipway/test/house"
)

// failLimit is how long another server may take to be the controller: the lease
// has to end, and the cluster to notice that a node is gone.
const failLimit = 3 * time.Minute

// TestFailover is three servers with the controller's database in PostgreSQL.
// The one whose controller works loses its power.
func TestFailover(t *testing.T) {
	first := boot(t, "koa", "172.31.77.27")
	database := postgres(t, first)
	house.Must(t, "install the first", func(t *testing.T) { installServer(t, first, "DATABASE_URL="+database) })
	second, third := boot(t, "kob", "172.31.77.28"), boot(t, "koc", "172.31.77.29")
	for _, n := range []*node{second, third} {
		house.Must(t, n.Name+" joins", func(t *testing.T) { joinServer(t, first, n) })
	}
	client := house.Login(t, first.m)
	house.Must(t, "an app on all of them", func(t *testing.T) {
		_, err := client.CreateApp(t.Context(), "hello", "")
		require.NoError(t, err)
		_, err = client.Deployed(t.Context(), "hello", house.Carried(t, first.m, "hello"), deployLimit)
		require.NoError(t, err)
		require.NoError(t, client.Scale(t.Context(), "hello", 6))
		sixAnswer(t, first)
		assert.Equal(t, "koa", leader(t, second))
	})
	house.Must(t, "the controller's host loses its power", func(t *testing.T) {
		stop := watchApp(t, second, third)
		require.NoError(t, first.Kill())
		since := time.Now()
		config(t, client.At(second.m), "AFTER", "the loss")
		house.Took(t, "another server took a change after", since)
		assert.Contains(t, []string{"kob", "koc"}, leader(t, second))
		stop("while the controller moved")
	})
	house.Must(t, "it comes back and stands by", func(t *testing.T) {
		leads := leader(t, second)
		require.NoError(t, first.Reboot(t.Context()))
		back(t, second, first)
		house.Well(t, first.m, failLimit)
		assert.Equal(t, leads, leader(t, first))
		values, err := client.Config(t.Context(), "hello")
		require.NoError(t, err, "it answers for the API, too")
		assert.Equal(t, "the loss", values["AFTER"])
		config(t, client, "AGAIN", "here")
	})
}

// postgres starts a database server where the hosts reach it.
func postgres(t *testing.T, n *node) (url string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "slipway-fleet-postgres-")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755)) // it does not run as root
	server, err := pgtest.Start(dir)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Stop()) })
	gateway := net.ParseIP(n.Address).To4()
	gateway[3] = 1
	require.NoError(t, server.Listen(gateway.String(), gateway.String()+"/24"))
	return server.URL("postgres", "")
}

// leader is the node whose controller works.
func leader(t *testing.T, n *node) string {
	t.Helper()
	var list struct {
		Nodes []struct {
			Name       string
			Controller bool
		}
	}
	require.NoError(t, json.Unmarshal([]byte(n.slipway(t, "node", "list", "-o", "json")), &list))
	for _, one := range list.Nodes {
		if one.Controller {
			return one.Name
		}
	}
	return ""
}

// config changes the app's until it was taken, and waits for its release.
func config(t *testing.T, client *appliance.Client, key, value string) {
	t.Helper()
	var before appliance.Release
	require.NoError(t, appliance.Eventually(t.Context(), failLimit, func(ctx context.Context) (err error) {
		before, err = client.Latest(ctx, "hello")
		return err
	}))
	require.NoError(t, appliance.Eventually(t.Context(), failLimit, func(ctx context.Context) error {
		bounded, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		err := client.SetConfig(bounded, "hello", map[string]string{key: value})
		if err == nil {
			return nil
		}
		// An answer may have been lost after the change was made.
		if values, now := client.Config(bounded, "hello"); now == nil && values[key] == value {
			return nil
		}
		return err
	}))
	_, err := client.WaitRelease(t.Context(), "hello", before.Version, failLimit)
	require.NoError(t, err)
}
