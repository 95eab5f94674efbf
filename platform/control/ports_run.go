package control

import (
	"context"
	"io"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// Inspector is the part of Cluster that looks at what runs, and ends single
// pods. Its calls may be made at any time, also while the app is changed. What
// is not there is platform.NotFound.
type Inspector interface {
	// Ptypes lists what is deployed, newest first. Garbage is not filled in.
	Ptypes(ctx context.Context, app string) ([]platform.PtypeStatus, error)
	DescribePtype(ctx context.Context, app, ptype string) ([]platform.Container, error)
	// DescribePod takes the name of a pod, or of a Job for its newest pod.
	DescribePod(ctx context.Context, app, pod string) ([]platform.Container, error)
	// DeletePods has pods of the app end; others are made in their place where
	// there should be some. All names are looked at first.
	DeletePods(ctx context.Context, app string, pods []string) error
	// PodEvents and PtypeEvents list what the cluster noted, oldest first; none
	// for what is not there.
	PodEvents(ctx context.Context, app, pod string) ([]platform.ClusterEvent, error)
	PtypeEvents(ctx context.Context, app, ptype string) ([]platform.ClusterEvent, error)
	// Usage lists what the app's pods use, as far as their nodes tell.
	Usage(ctx context.Context, app string) ([]platform.PodUsage, error)
}

// Streams is the part of Cluster that reads from processes and talks to them.
// The calls last until the other side or ctx ends; nothing of them is left
// when they return. They may be made at any time.
type Streams interface {
	// PodLog copies the log of a pod, or of the newest pod of a Job, to w.
	PodLog(ctx context.Context, app, pod string, o LogOptions, w io.Writer) error
	// Logs lists the newest lines of all pods of the app, oldest first.
	Logs(ctx context.Context, app string, lines int) ([]platform.LogLine, error)
	// FollowLogs hands lines to emit as they come, those of pods that are made
	// meanwhile too: those later than since or, for the pods in after, than the
	// time there.
	// emit is never called twice at once; its error ends the call.
	FollowLogs(ctx context.Context, app string, since time.Time, after map[string]time.Time, emit func(platform.LogLine) error) error
	// Exec runs a command in a pod beside its process and returns the
	// command's exit code.
	Exec(ctx context.Context, app, pod string, command []string, t Terminal) (int, error)
	// Attach connects to the process of a pod, or of the newest pod of a Job,
	// for whose beginning it waits, and returns the process's exit code. What
	// the process said before is told first.
	Attach(ctx context.Context, app, pod string, t Terminal) (int, error)
}

// Jobs is the part of Cluster that runs a command once.
type Jobs interface {
	// StartJob starts j and returns; it may be called at any time. The cluster
	// removes the job by itself, j.Expires after its end.
	StartJob(ctx context.Context, d Deployment, j Job) error
	// RunStep starts j, unless it has been started before, and waits for its
	// end. When it ended badly the error is a *RolloutError. The job stays for
	// EndSteps, so that one that was finished is never run again.
	RunStep(ctx context.Context, d Deployment, j Job) error
	// EndSteps lets the cluster remove the jobs of steps, some time later.
	EndSteps(ctx context.Context, app string) error
}

// Job is a command to run once.
type Job struct {
	Name    string // of the object; unique in the app, at most 57 characters
	For     string // the process type that it is run for
	Process Process
	Timeout time.Duration // until it is killed
	Expires time.Duration // how long it stays to be looked at when it has ended
	Stdin   bool          // wait for somebody to attach before the input ends
	TTY     bool
}

// LogOptions say what to read of a pod's log.
type LogOptions struct {
	Lines     int // the newest; 0 or less: all
	Follow    bool
	Container string // empty: the pod's first
	Previous  bool   // of the container that ended before this one
}

// Terminal is where a process in a pod gets its input and sends its output.
type Terminal struct {
	Stdin  io.Reader // nil: none. Closed by the caller when the call is over
	Stdout io.Writer
	Stderr io.Writer // not used with TTY
	TTY    bool
	Resize <-chan Size // nil: the size never changes. Closed by the caller
}

// Size is that of a terminal, in characters.
type Size struct{ Width, Height uint16 }
