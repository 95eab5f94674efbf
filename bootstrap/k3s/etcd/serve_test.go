package etcd

import (
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
)

// TestAMemberServes starts etcd itself on what was built, as k3s does.
func TestAMemberServes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "etcd")
	built, err := Build(t.Context(), Options{SQLite: datastore(t), Dir: dir, Name: "one", PeerURL: "http://127.0.0.1:2380"})
	require.NoError(t, err)
	anyPort, err := url.Parse("http://127.0.0.1:0")
	require.NoError(t, err)
	config := embed.NewConfig()
	config.Name, config.Dir, config.LogLevel = "one", dir, "error"
	config.ListenPeerUrls, config.ListenClientUrls = []url.URL{*anyPort}, []url.URL{*anyPort}
	server, err := embed.StartEtcd(config)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	<-server.Server.ReadyNotify()
	client := v3client.New(server.Server)

	all, err := client.Get(t.Context(), "/registry/", clientv3.WithPrefix(), clientv3.WithCountOnly())
	require.NoError(t, err)
	assert.EqualValues(t, built.Keys, all.Count)
	members, err := client.MemberList(t.Context())
	require.NoError(t, err)
	require.Len(t, members.Members, 1)
	assert.Equal(t, "one", members.Members[0].Name)
	assert.Equal(t, []string{"http://127.0.0.1:2380"}, members.Members[0].PeerURLs)

	// A watcher that goes on from what it has seen is told to read anew, and one
	// that begins now hears of the next change.
	old := <-client.Watch(t.Context(), "/registry/", clientv3.WithPrefix(), clientv3.WithRev(built.Revision))
	require.ErrorIs(t, old.Err(), rpctypes.ErrCompacted)
	fresh := client.Watch(t.Context(), "/registry/", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-fresh
	put, err := client.Put(t.Context(), "/registry/next", "x")
	require.NoError(t, err)
	assert.Greater(t, put.Header.Revision, built.Revision+beyond)
	event := <-fresh
	require.Len(t, event.Events, 1)
	assert.Equal(t, "/registry/next", string(event.Events[0].Kv.Key))
}
