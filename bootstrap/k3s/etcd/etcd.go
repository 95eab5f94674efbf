// Package etcd turns the SQLite datastore of a stopped k3s into a member of
// etcd, which is what several servers share.
//
// k3s can do this itself while it starts. Doing it while nothing runs is better
// in three ways: every key can be compared before anything depends on it; a kill
// at any moment leaves the old datastore as it was, since the new one appears by
// one rename; and revisions go on from where they were. Watchers go on from the
// last revision they have seen: in a datastore that begins again at 1 they
// would hear of nothing for as long as it takes to get there, and gateways and
// kubelets of other nodes would not learn of new pods. They are told instead that
// their revision is too old, and read everything anew.
package etcd

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"slices"

	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/k3s/kine"
	"go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
	"go.uber.org/zap"
)

// beyond is how far past the old datastore's revision the new one begins.
const beyond = 1000

// Options say what to build.
type Options struct {
	SQLite  string // file of the stopped datastore; only read
	Dir     string // folder of the member that is made; must not exist
	Name    string // of the member
	PeerURL string // "https://10.0.0.1:2380"
}

// Summary is what was brought over.
type Summary struct {
	Keys     int    `json:"keys"`
	SHA256   string `json:"sha256"`   // over all keys in order, each with the hash of its value
	Revision int64  `json:"revision"` // of the old datastore
}

// Build makes the member and compares it with the datastore, key by key. When it
// fails nothing is left at Dir.
func Build(ctx context.Context, o Options) (s Summary, err error) {
	if _, err := os.Stat(o.Dir); err == nil {
		return Summary{}, fmt.Errorf("etcd: there is a member at %s already", o.Dir)
	}
	work := o.Dir + ".work"
	if err := errors.Join(os.RemoveAll(work), os.MkdirAll(work, 0o700)); err != nil {
		return Summary{}, fmt.Errorf("etcd: %w", err)
	}
	defer func() {
		err = errors.Join(err, os.RemoveAll(work))
		if err != nil {
			_ = os.RemoveAll(o.Dir) // the first error says what is wrong
		}
	}()
	if s.Revision, err = kine.Revision(ctx, o.SQLite); err != nil {
		return s, err
	}
	plain := filepath.Join(work, "db")
	before, err := fill(ctx, o.SQLite, plain)
	if err != nil {
		return s, fmt.Errorf("etcd: bring the keys over: %w", err)
	}
	after, err := read(ctx, plain)
	if err != nil {
		return s, fmt.Errorf("etcd: read the keys back: %w", err)
	}
	if before != after || before.Keys == 0 {
		return s, fmt.Errorf("etcd: %d keys (%.12s) were to be brought over, %d (%.12s) have arrived", before.Keys, before.SHA256, after.Keys, after.SHA256)
	}
	s.Keys, s.SHA256 = after.Keys, after.SHA256
	return s, member(o, plain, s)
}

// member makes the files of a member out of a plain file with keys.
func member(o Options, plain string, s Summary) error {
	err := snapshot.NewV3(zap.NewNop()).Restore(snapshot.RestoreConfig{
		SnapshotPath: plain, SkipHashCheck: true, // it is no download
		Name: o.Name, PeerURLs: []string{o.PeerURL}, InitialCluster: o.Name + "=" + o.PeerURL, OutputDataDir: o.Dir,
		RevisionBump: uint64(s.Revision + beyond), MarkCompacted: true,
	})
	if err != nil {
		return fmt.Errorf("etcd: make the member: %w", err)
	}
	// Where k3s keeps the member's name; an empty file it takes for an empty name.
	if err := host.NewLinux(host.Options{}).WriteFile(filepath.Join(o.Dir, "name"), []byte(o.Name), 0o600); err != nil {
		return fmt.Errorf("etcd: make the member: %w", err)
	}
	return os.Chmod(o.Dir, 0o700)
}

// batch is how many keys are written at a time.
const batch = 200

// fill writes all keys into a new file and sums up what it wrote.
func fill(ctx context.Context, sqlite, file string) (Summary, error) {
	be := backend.NewDefaultBackend(zap.NewNop(), file)
	store := mvcc.NewStore(zap.NewNop(), be, &lease.FakeLessor{}, mvcc.StoreConfig{})
	sums := map[string][sha256.Size]byte{}
	waiting := 0
	err := kine.Each(ctx, sqlite, func(key string, value []byte) error {
		store.Put([]byte(key), value, lease.NoLease)
		sums[key] = sha256.Sum256(value)
		if waiting++; waiting == batch {
			store.Commit()
			waiting = 0
		}
		return nil
	})
	store.Commit()
	if err := errors.Join(err, store.Close(), be.Close()); err != nil {
		return Summary{}, err
	}
	keys := make([]string, 0, len(sums))
	for key := range sums {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int { return bytes.Compare([]byte(a), []byte(b)) })
	h := sha256.New()
	for _, key := range keys {
		add(h, []byte(key), sums[key])
	}
	return Summary{Keys: len(keys), SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

// read sums up the keys of a file as etcd finds them.
func read(ctx context.Context, file string) (Summary, error) {
	be := backend.NewDefaultBackend(zap.NewNop(), file)
	store := mvcc.NewStore(zap.NewNop(), be, &lease.FakeLessor{}, mvcc.StoreConfig{})
	h := sha256.New()
	n := 0
	var err error
	for from := []byte("/"); ; {
		var page *mvcc.RangeResult
		page, err = store.Range(ctx, from, []byte("0"), mvcc.RangeOptions{Limit: batch})
		if err != nil || len(page.KVs) == 0 {
			break
		}
		for _, kv := range page.KVs {
			add(h, kv.Key, sha256.Sum256(kv.Value))
			n++
		}
		from = append(page.KVs[len(page.KVs)-1].Key, 0)
	}
	if err := errors.Join(err, store.Close(), be.Close()); err != nil {
		return Summary{}, err
	}
	return Summary{Keys: n, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

func add(h hash.Hash, key []byte, value [sha256.Size]byte) {
	h.Write(key)
	h.Write([]byte{0})
	h.Write(value[:])
}
