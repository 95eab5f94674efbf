package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// stateDir holds one folder per host, on a file system that can be the upper
// layer of an overlay.
const stateDir = "/var/tmp/slipway-hosts"

// record is host.json: enough to find and end a host from another process.
type record struct {
	Name  string `json:"name"`
	Link  string `json:"link"`            // the machine's end of the network cable
	PID   int    `json:"pid,omitempty"`   // process 1 of the host, seen from the machine
	Start string `json:"start,omitempty"` // its start time, in clock ticks since boot: pids are reused

	Maker      int    `json:"maker,omitempty"`       // the program that made the host
	MakerStart string `json:"maker_start,omitempty"` // its start time
}

func recordPath(name string) string { return filepath.Join(stateDir, name, "host.json") }

// write replaces the file in one step.
func (r record) write() error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	path := recordPath(r.Name)
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// startTime is when a process began, or empty when there is none.
func startTime(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The name, in parentheses, may hold spaces; field 22 is the 20th after it.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" {
		return ""
	}
	return fields[19]
}

// alive reports whether the recorded process 1 still runs.
func (r record) alive() bool {
	return r.PID > 1 && r.Start != "" && startTime(r.PID) == r.Start
}

// kill ends process 1, and with it the kernel ends all the others and frees
// their mounts and network, and waits for it.
func (r record) kill() error {
	if !r.alive() {
		return nil
	}
	if err := unix.Kill(r.PID, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("end host %s: %w", r.Name, err)
	}
	for deadline := time.Now().Add(30 * time.Second); r.alive(); {
		if time.Now().After(deadline) {
			return fmt.Errorf("end host %s: process %d stays after SIGKILL", r.Name, r.PID)
		}
		thaw(r.Name)
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// remove ends the host and deletes everything made for it.
func (r record) remove() error {
	err := r.kill()
	if err != nil {
		return err // its files are in use
	}
	return errors.Join(
		removeCgroups(r.Name),
		removeLink(r.Link),
		removeAll(filepath.Join(stateDir, r.Name)),
	)
}

// removeAll deletes a host's folder, unless something is still mounted in it:
// then it would delete what is not ours.
func removeAll(dir string) error {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	if strings.Contains(string(mounts), " "+dir+"/") {
		return fmt.Errorf("something is mounted in %s; unmount it first", dir)
	}
	return os.RemoveAll(dir)
}

// wanted reports whether another program that still runs made the host.
func (r record) wanted() bool {
	return r.Maker > 1 && r.Maker != os.Getpid() && r.MakerStart != "" && startTime(r.Maker) == r.MakerStart
}

// Sweep removes every host, running or not, that a program left on this
// machine, and the bridge after the last. Ours that run now are among them:
// call it when none is wanted. Hosts of other programs that still run stay.
func Sweep() error {
	entries, err := os.ReadDir(stateDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var failed error
	others := false
	for _, e := range entries {
		r := find(e.Name())
		if r.wanted() {
			others = true
			continue
		}
		failed = errors.Join(failed, r.remove())
	}
	if failed != nil || others {
		return failed
	}
	if err := removeLink(bridge); err != nil {
		return err
	}
	return os.RemoveAll(stateDir)
}

// Any reports whether there are hosts on this machine, of whatever program.
func Any() bool {
	entries, err := os.ReadDir(stateDir)
	return err == nil && len(entries) > 0
}

// find reads a host's record. A host that was killed before it had one has no
// process either; its name tells the rest.
func find(name string) record {
	r := record{Name: name, Link: linkName(name)}
	if b, err := os.ReadFile(recordPath(name)); err == nil {
		_ = json.Unmarshal(b, &r) // a torn file has no process: it is renamed into place
	}
	return r
}
