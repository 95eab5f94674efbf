package bootstrap

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"sort"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// ChangeKind says what was changed and so how it is undone.
type ChangeKind string

// The kinds of change, each with its inverse.
const (
	ChangeFile    ChangeKind = "file"    // restore the backup, or remove the file
	ChangeDir     ChangeKind = "dir"     // remove the directory if it is empty
	ChangeSymlink ChangeKind = "symlink" // restore the old target, or remove it
	ChangeTree    ChangeKind = "tree"    // remove all below, or what was not there before
	ChangeSysctl  ChangeKind = "sysctl"  // write the old value
	ChangeService ChangeKind = "service" // take the service out of its manager

	ChangeFirewall ChangeKind = "firewall" // take our rule out of the firewall again
)

// Change is one change to the host with what its inverse needs. It holds no
// contents of files, so no secrets.
type Change struct {
	ID   int        `json:"id"`
	Step string     `json:"step"`
	Kind ChangeKind `json:"kind"`
	Path string     `json:"path"` // or the sysctl's key, or the service's name

	Backup  string      `json:"backup,omitempty"` // copy of the file that was there
	Perm    fs.FileMode `json:"perm,omitempty"`   // of that file
	Sum     string      `json:"sum,omitempty"`    // SHA-256 of what we wrote
	Target  string      `json:"target,omitempty"` // of the symlink that was there
	Old     string      `json:"old,omitempty"`    // value of the sysctl before
	Existed bool        `json:"existed,omitempty"`
	Entries []string    `json:"entries,omitempty"` // names in a tree that was there
	Ours    []string    `json:"ours,omitempty"`    // patterns of what is ours in it

	Opening *host.Opening `json:"opening,omitempty"` // of a firewall

	Made bool `json:"-"` // a record says that it was made, not only begun
}

// The events of a ledger's records.
const (
	eventBegin    = "begin"     // a change is about to be made
	eventMade     = "made"      // it was made
	eventUndone   = "undone"    // it was undone
	eventFold     = "fold"      // it replaced our own earlier change, whose inverse holds
	eventStep     = "step"      // a step begins
	eventStepDone = "step-done" // it ended well
	eventStepFail = "step-fail" // it ended badly and was undone
)

// record is one line of the ledger.
type record struct {
	Time   time.Time `json:"time"`
	Event  string    `json:"event"`
	Step   string    `json:"step,omitempty"`
	Change *Change   `json:"change,omitempty"` // of begin
	ID     int       `json:"id,omitempty"`     // of made, undone, fold
	Into   int       `json:"into,omitempty"`   // of fold
	Sum    string    `json:"sum,omitempty"`    // of made, fold
}

// Ledger is the journal of host changes: a file of JSON lines, each synced
// before the next thing happens. Record, act, record: whatever moment a run
// ends at, the ledger names every change that may have been made.
//
//	begin(id) ---- act ---- made(id) ---- undone(id)
//	   |                       |
//	   +-- killed here: may or may not be made; undo copes with both
type Ledger struct {
	host  host.Host
	dir   string
	clock func() time.Time

	changes []*Change
	steps   map[string]string // last event of each step
	open    map[string]int    // first change id of a step that is not done
	next    int
}

// OpenLedger reads the ledger in dir, or starts one. A last line that was cut
// by a loss of power is dropped: what it announced was not begun.
func OpenLedger(h host.Host, dir string, clock func() time.Time) (*Ledger, error) {
	l := &Ledger{host: h, dir: dir, clock: clock, steps: map[string]string{}, open: map[string]int{}, next: 1}
	data, err := h.ReadFile(l.file())
	if err != nil && !isAbsent(err) {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	whole := bytes.LastIndexByte(data, '\n') + 1
	for n, line := range bytes.Split(data[:whole], []byte{'\n'}) {
		if len(line) == 0 {
			continue
		}
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("ledger %s line %d: %w", l.file(), n+1, err)
		}
		l.apply(r)
	}
	if whole < len(data) {
		if err := h.WriteFile(l.file(), data[:whole], 0o600); err != nil {
			return nil, fmt.Errorf("ledger: %w", err)
		}
	}
	return l, nil
}

func (l *Ledger) file() string { return filepath.Join(l.dir, "changes.jsonl") }

func (l *Ledger) backup(id int) string {
	return filepath.Join(l.dir, "backup", fmt.Sprintf("%06d", id))
}

// prepare makes the ledger's own folders, which no record names: uninstall
// removes them last.
func (l *Ledger) prepare() error {
	for _, d := range []struct {
		path string
		perm fs.FileMode
	}{{filepath.Dir(l.dir), 0o755}, {l.dir, 0o700}, {filepath.Join(l.dir, "backup"), 0o700}} {
		if err := l.host.Mkdir(d.path, d.perm); err != nil && !isExist(err) {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	return nil
}

// apply updates the state in memory by a record.
func (l *Ledger) apply(r record) {
	switch r.Event {
	case eventBegin:
		if r.Change == nil {
			return
		}
		c := *r.Change
		l.changes = append(l.changes, &c)
		l.next = max(l.next, c.ID+1)
	case eventMade:
		if c := l.find(r.ID); c != nil {
			c.Made = true
			if r.Sum != "" {
				c.Sum = r.Sum
			}
		}
	case eventUndone:
		l.drop(r.ID)
	case eventFold:
		if c := l.find(r.Into); c != nil {
			c.Sum = r.Sum
		}
		l.drop(r.ID)
	case eventStep:
		l.steps[r.Step] = r.Event
		if _, ok := l.open[r.Step]; !ok {
			l.open[r.Step] = l.next
		}
	case eventStepDone, eventStepFail:
		l.steps[r.Step] = r.Event
		delete(l.open, r.Step)
	}
}

func (l *Ledger) find(id int) *Change {
	i := sort.Search(len(l.changes), func(i int) bool { return l.changes[i].ID >= id })
	if i < len(l.changes) && l.changes[i].ID == id {
		return l.changes[i]
	}
	return nil
}

func (l *Ledger) drop(id int) {
	for i, c := range l.changes {
		if c.ID == id {
			l.changes = append(l.changes[:i:i], l.changes[i+1:]...)
			return
		}
	}
}

// write appends a record to the file, then applies it.
func (l *Ledger) write(r record) error {
	r.Time = l.clock().UTC()
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if err := l.host.Append(l.file(), append(line, '\n'), 0o600); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	l.apply(r)
	return nil
}

// begin records a change that is about to be made.
func (l *Ledger) begin(c Change) (*Change, error) {
	c.ID = l.next
	if err := l.write(record{Event: eventBegin, Change: &c}); err != nil {
		return nil, err
	}
	return l.find(c.ID), nil
}

// Changes returns the changes that stand, the oldest first.
func (l *Ledger) Changes() []Change {
	all := make([]Change, len(l.changes))
	for i, c := range l.changes {
		all[i] = *c
	}
	return all
}

// Empty reports whether nothing was ever recorded here.
func (l *Ledger) Empty() bool { return len(l.changes) == 0 && len(l.steps) == 0 }

// Mark is a number below which all changes so far are, and none to come.
func (l *Ledger) Mark() int { return l.next }

// Installed reports whether an install ever began to change this host: repairs
// of a bare host are recorded here too.
func (l *Ledger) Installed() bool {
	_, ok := l.steps[stepStage]
	return ok
}

// StepDone reports whether a step's last run ended well.
func (l *Ledger) StepDone(step string) bool { return l.steps[step] == eventStepDone }

// interrupted reports whether a step's last run was cut off.
func (l *Ledger) interrupted(step string) bool { return l.steps[step] == eventStep }

// pending returns a change of the kind to the path that was begun in a run that
// was cut off, so that the next run takes it over instead of doubling it.
func (l *Ledger) pending(kind ChangeKind, path string) *Change {
	for _, c := range l.changes {
		if c.Kind == kind && c.Path == path && !c.Made {
			return c
		}
	}
	return nil
}

// owns reports whether path is, or lies in, a tree that was not there before.
func (l *Ledger) owns(path string) bool {
	for _, c := range l.changes {
		if c.Kind == ChangeTree && !c.Existed && host.Below(path, c.Path) {
			return true
		}
	}
	return false
}

// standing returns the latest change of the kind to the path.
func (l *Ledger) standing(kind ChangeKind, path string) *Change {
	for i := len(l.changes) - 1; i >= 0; i-- {
		if c := l.changes[i]; c.Kind == kind && c.Path == path {
			return c
		}
	}
	return nil
}

// stepChanges returns the changes of a step's unfinished run, the latest first.
func (l *Ledger) stepChanges(step string) []Change {
	from, ok := l.open[step]
	if !ok {
		return nil
	}
	var list []Change
	for i := len(l.changes) - 1; i >= 0; i-- {
		if c := l.changes[i]; c.Step == step && c.ID >= from {
			list = append(list, *c)
		}
	}
	return list
}

// fold forgets those changes of a finished step that replaced an earlier change
// of ours: going back, the earlier one's inverse is the right one.
func (l *Ledger) fold(step string) error {
	for _, c := range l.stepChanges(step) {
		first := l.firstBefore(c)
		if first == nil {
			continue
		}
		if err := l.write(record{Event: eventFold, ID: c.ID, Into: first.ID, Sum: c.Sum}); err != nil {
			return err
		}
		if c.Backup != "" {
			if err := l.host.Remove(c.Backup); err != nil {
				return fmt.Errorf("ledger: %w", err)
			}
		}
	}
	return nil
}

func (l *Ledger) firstBefore(c Change) *Change {
	for _, d := range l.changes {
		if d.ID < c.ID && d.Kind == c.Kind && d.Path == c.Path {
			return d
		}
	}
	return nil
}
