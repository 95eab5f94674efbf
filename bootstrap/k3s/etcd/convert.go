package etcd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/slipway-paas/slipway/bootstrap/k3s/kine"
)

// Kind is what a server keeps the cluster's objects in.
type Kind string

// The kinds.
const (
	SQLite     Kind = "sqlite"
	Converting Kind = "converting" // to etcd; a restart of the server goes on with it
	Etcd       Kind = "etcd"
	External   Kind = "external" // a database that is not on this host
)

// state is how far a conversion has come.
type state string

const (
	requested state = "requested" // the next start builds the member
	starting  state = "starting"  // the member is in place and has to prove itself
	failed    state = "failed"    // back on SQLite
)

// tries is how often k3s may start with the new member without coming up before
// the old datastore is taken again.
const tries = 3

// record is the file that a conversion goes on from.
type record struct {
	State      state     `json:"state"`
	Asked      time.Time `json:"asked"`
	Checkpoint string    `json:"checkpoint,omitempty"` // folder with the state of before
	Summary    *Summary  `json:"summary,omitempty"`
	Tries      int       `json:"tries,omitempty"`
	Reason     string    `json:"reason,omitempty"` // of the failure
}

// Conversion turns the datastore of a server into etcd in the pause between two
// of its starts, and remembers how far it is in
//
//	<data folder>/server/db/slipway-conversion.json
//
// The old datastore is left as it is until k3s has come up with the new one,
// and kept beside it then (state.db.converted). A kill at any moment is made up
// for by the next start.
type Conversion struct {
	DataDir string // of k3s
	Name    string // of the member that is made
	PeerURL string // "https://10.0.0.1:2380"
	// Checkpoint keeps the state of the stopped server and returns where.
	Checkpoint func(ctx context.Context) (dir string, err error)
	Clock      func() time.Time
}

func (c *Conversion) db(names ...string) string {
	return filepath.Join(append([]string{c.DataDir, "server", "db"}, names...)...)
}

func (c *Conversion) file() string   { return c.db("slipway-conversion.json") }
func (c *Conversion) member() string { return c.db("etcd") }

// data is what only a member that was made has: k3s leaves a folder with a name
// in it beside a SQLite datastore too.
func (c *Conversion) data() string { return c.db("etcd", "member") }

// Now is what the datastore is, and why the last conversion failed.
func (c *Conversion) Now() (Kind, string, error) {
	r, err := c.read()
	if err != nil {
		return "", "", err
	}
	switch {
	case r.State == requested || r.State == starting:
		return Converting, "", nil
	case exists(c.data()):
		return Etcd, "", nil
	case exists(kine.File(c.DataDir)):
		return SQLite, r.Reason, nil
	}
	return External, "", nil
}

// Request has the next start of the server turn its SQLite datastore into etcd.
// Asking again while it is under way, or done, is no error.
func (c *Conversion) Request() error {
	kind, _, err := c.Now()
	if err != nil || kind != SQLite {
		return err
	}
	return c.write(record{State: requested, Asked: c.Clock().UTC()})
}

// BeforeStart does what is to be done while k3s is down. A conversion that
// fails leaves SQLite in place, with the reason in the record; the error is that
// not even that could be written.
func (c *Conversion) BeforeStart(ctx context.Context, progress func(string)) error {
	r, err := c.read()
	if err != nil {
		return err
	}
	if r.State == requested {
		if err := c.build(ctx, &r, progress); err != nil {
			if ctx.Err() != nil {
				return nil // the next start goes on
			}
			return c.write(record{State: failed, Asked: r.Asked, Checkpoint: r.Checkpoint, Reason: err.Error()})
		}
		r.State = starting
	}
	if r.State != starting {
		return nil
	}
	if r.Tries >= tries {
		return c.goBack(r)
	}
	r.Tries++
	return c.write(r)
}

// build puts the member in place, by a rename as the last thing.
func (c *Conversion) build(ctx context.Context, r *record, progress func(string)) error {
	if exists(c.data()) {
		return nil // killed right after the rename
	}
	if r.Checkpoint == "" {
		progress("keeping the state of before")
		dir, err := c.Checkpoint(ctx)
		if err != nil {
			return err
		}
		r.Checkpoint = dir
		if err := c.write(*r); err != nil {
			return err
		}
	}
	progress("bringing the cluster's objects over to etcd")
	fresh := c.db("etcd.new")
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	summary, err := Build(ctx, Options{SQLite: kine.File(c.DataDir), Dir: fresh, Name: c.Name, PeerURL: c.PeerURL})
	if err != nil {
		return err
	}
	r.Summary = &summary
	if err := c.removeEmpty(); err != nil {
		return err
	}
	return errors.Join(os.Rename(fresh, c.member()), host.SyncDir(c.db()))
}

// removeEmpty removes the folder of a member that has no data. Anything in it but
// its name is an error.
func (c *Conversion) removeEmpty() error {
	for _, path := range []string{filepath.Join(c.member(), "name"), c.member()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("folder of etcd: %w", err)
		}
	}
	return nil
}

// goBack takes the old datastore again. The member that did not work is kept
// for a look.
func (c *Conversion) goBack(r record) error {
	aside := c.db("etcd.failed")
	if exists(c.member()) {
		if err := errors.Join(os.RemoveAll(aside), os.Rename(c.member(), aside), host.SyncDir(c.db())); err != nil {
			return fmt.Errorf("take the SQLite datastore again: %w", err)
		}
	}
	r.State, r.Reason = failed, fmt.Sprintf("Kubernetes did not come up with etcd in %d starts; the member is in %s, the reason in the server's log", tries, aside)
	return c.write(r)
}

// Started tells that k3s has come up: what it came up with stays.
func (c *Conversion) Started() (*Summary, error) {
	r, err := c.read()
	if err != nil || r.State != starting {
		return nil, err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		old := kine.File(c.DataDir) + suffix
		if err := os.Rename(old, kine.File(c.DataDir)+".converted"+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("put the SQLite datastore aside: %w", err)
		}
	}
	if err := os.Remove(c.file()); err != nil {
		return nil, fmt.Errorf("record of the conversion: %w", err)
	}
	return r.Summary, host.SyncDir(c.db())
}

func (c *Conversion) read() (record, error) {
	var r record
	data, err := os.ReadFile(c.file())
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		return r, fmt.Errorf("record of the conversion %s: %w", c.file(), err)
	}
	return r, nil
}

// write replaces the record whole.
func (c *Conversion) write(r record) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = host.NewLinux(host.Options{}).WriteFile(c.file(), append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("record of the conversion: %w", err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
