package upgrade

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Phase is how far an upgrade has come.
type Phase string

// The phases; see the package.
const (
	Preparing   Phase = "preparing"
	Stopping    Phase = "stopping"
	Applying    Phase = "applying"
	Verifying   Phase = "verifying"
	Committed   Phase = "committed"
	RollingBack Phase = "rolling-back"
	RolledBack  Phase = "rolled-back"
	Stranded    Phase = "stranded"
)

// Ended reports whether nothing is left to do.
func (p Phase) Ended() bool {
	return p == "" || p == Committed || p == RolledBack || p == Stranded
}

// State is the record of the latest upgrade. It holds no secrets.
type State struct {
	Phase      Phase     `json:"phase"` // empty: there was none
	From       Version   `json:"from"`
	To         Version   `json:"to"`
	Checkpoint string    `json:"checkpoint,omitempty"` // its folder, once there is one
	Mark       int       `json:"mark"`                 // first ledger entry of the upgrade
	Revision   int64     `json:"revision,omitempty"`   // of Kubernetes' datastore, when rolling back began
	Began      time.Time `json:"began"`
	Ended      time.Time `json:"ended,omitzero"`
	Reason     string    `json:"reason,omitempty"` // of rolling back
}

// Record is the folder in which the state is kept, /var/lib/slipway/upgrade.
type Record struct{ Dir string }

func (r Record) file() string { return filepath.Join(r.Dir, "state.json") }

// Read returns the state; an empty one when there is none.
func (r Record) Read() (State, error) {
	var s State
	data, err := os.ReadFile(r.file())
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		return s, fmt.Errorf("record of the upgrade %s: %w", r.file(), err)
	}
	return s, nil
}

// Write replaces the state, and returns when it would survive a power cut.
func (r Record) Write(s State) error {
	data, err := json.MarshalIndent(s, "", " ")
	if err == nil {
		err = os.MkdirAll(r.Dir, 0o700)
	}
	if err == nil {
		err = host.NewLinux(host.Options{}).WriteFile(r.file(), append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("record of the upgrade: %w", err)
	}
	return nil
}

// ErrRunning says that another program carries out an upgrade on this host.
var ErrRunning = errors.New("another upgrade is running on this host")

// lockTries times lockPause is how long a look of the server, which holds the
// lock for an instant, is waited for.
const (
	lockTries = 20
	lockPause = 50 * time.Millisecond
)

// Hold marks this program as the one that carries out an upgrade, until release
// is called or the program ends in any way.
func (r Record) Hold() (release func() error, err error) {
	if err := os.MkdirAll(r.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("upgrade: %w", err)
	}
	f, err := os.OpenFile(r.lockFile(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("upgrade: %w", err)
	}
	for n := 1; ; n++ {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return f.Close, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("upgrade: lock %s: %w", r.lockFile(), err), f.Close())
		}
		if n == lockTries {
			return nil, errors.Join(ErrRunning, f.Close())
		}
		time.Sleep(lockPause)
	}
}

func (r Record) lockFile() string { return filepath.Join(r.Dir, "running") }

// Held reports whether the program that carries out an upgrade is alive.
func (r Record) Held() (bool, error) {
	f, err := os.Open(r.lockFile())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("upgrade: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, f.Close()
	}
	return false, errors.Join(err, f.Close())
}
