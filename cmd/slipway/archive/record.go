package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/slipway-paas/slipway/bootstrap"
	"github.com/slipway-paas/slipway/bootstrap/backup"
	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Record is what the platform remembers of its backups.
type Record struct {
	Good    Run `json:"good,omitzero"`   // the last that was Made
	Failed  Run `json:"failed,omitzero"` // the last that could not be Made, when no good one followed
	Drilled Run `json:"drilled,omitzero"`
	Drill   Run `json:"drillFailed,omitzero"` // as Failed, of drills
}

// Run is one backup or drill.
type Run struct {
	Place   string    `json:"place"`
	Name    string    `json:"name,omitempty"`
	Ended   time.Time `json:"ended"`
	Seconds float64   `json:"seconds,omitempty"`
	Bytes   int64     `json:"bytes,omitempty"`
	Problem string    `json:"problem,omitempty"`
}

func recordFile(p bootstrap.Paths) string { return filepath.Join(p.Controller, "backups.json") }

// ReadRecord returns an empty one when nothing was ever recorded.
func ReadRecord(p bootstrap.Paths) (r Record, err error) {
	data, err := os.ReadFile(recordFile(p))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		return r, fmt.Errorf("record of backups: %w", err)
	}
	return r, nil
}

// RecordBackup remembers how a backup went.
func RecordBackup(p bootstrap.Paths, place backup.Place, done Made, problem error, now time.Time) error {
	return changeRecord(p, func(r *Record) {
		if problem != nil {
			r.Failed = Run{Place: place.String(), Ended: now, Problem: problem.Error()}
			return
		}
		r.Failed = Run{}
		r.Good = Run{Place: place.String(), Name: done.Name, Ended: now, Seconds: done.Took.Seconds(), Bytes: done.Size}
	})
}

// RecordDrill remembers how a drill went.
func RecordDrill(p bootstrap.Paths, f File, d Drill, problem error, now time.Time) error {
	return changeRecord(p, func(r *Record) {
		run := Run{Place: f.Place.String(), Name: f.Name, Ended: now}
		if problem != nil {
			run.Problem = problem.Error()
			r.Drill = run
			return
		}
		run.Seconds, run.Bytes = d.Whole.Seconds(), d.Size
		r.Drilled, r.Drill = run, Run{}
	})
}

// changeRecord changes the record as a whole or not at all.
func changeRecord(p bootstrap.Paths, change func(*Record)) error {
	r, err := ReadRecord(p)
	if err != nil {
		r = Record{} // a record that can't be read is worth less than a new one
	}
	change(&r)
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := host.NewLinux(host.Options{}).WriteFile(recordFile(p), append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("record of backups: %w", err)
	}
	return nil
}
