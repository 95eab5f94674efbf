package platformtest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// runState is what the cluster knows of commands, logs and terminals.
type runState struct {
	jobs    map[string][]Started // by app
	lines   map[string][]platform.LogLine
	said    chan struct{} // closed, and made anew, at every new line
	usage   map[string][]platform.PodUsage
	step    func(control.Deployment, control.Job) error
	command Command
}

// Started is a job that was started.
type Started struct {
	control.Job
	Version int
	Step    bool
	Ended   bool // EndSteps has let it go
}

// Command plays what runs in a pod, for Exec and, with no words, for Attach.
type Command func(ctx context.Context, pod string, words []string, t control.Terminal) (int, error)

func newRunState() runState {
	return runState{
		jobs: map[string][]Started{}, lines: map[string][]platform.LogLine{}, said: make(chan struct{}),
		usage: map[string][]platform.PodUsage{},
		command: func(_ context.Context, _ string, words []string, t control.Terminal) (int, error) {
			_, err := io.WriteString(t.Stdout, strings.Join(words, " ")+"\n")
			return 0, err
		},
	}
}

// Play sets what Exec and Attach do; by default they say the command's words.
func (c *Cluster) Play(command Command) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs.command = command
}

// RefuseStep lets RunStep fail with what f returns for a step that is run for
// the first time, unless nil.
func (c *Cluster) RefuseStep(f func(control.Deployment, control.Job) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs.step = f
}

// Use sets what the pods of an app use.
func (c *Cluster) Use(app string, usage ...platform.PodUsage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs.usage[app] = usage
}

// Say adds a line to the log of an app's pod.
func (c *Cluster) Say(app string, l platform.LogLine) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs.lines[app] = append(c.runs.lines[app], l)
	close(c.runs.said)
	c.runs.said = make(chan struct{})
}

// Started lists the jobs of an app, each once for every time it was run.
func (c *Cluster) Started(app string) []Started {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.runs.jobs[app])
}

func (c *Cluster) jobPods(app string) []platform.Pod {
	var pods []platform.Pod
	for _, j := range c.runs.jobs[app] {
		if j.Ended {
			continue
		}
		pods = append(pods, platform.Pod{
			Name: j.Name + "-0", Type: j.Process.Ptype, State: "up", Ready: "1/1", Release: fmt.Sprintf("v%d", j.Version),
		})
	}
	return pods
}

// StartJob keeps the job.
func (c *Cluster) StartJob(ctx context.Context, d control.Deployment, j control.Job) error {
	return c.beside(ctx, Call{Name: "StartJob", App: d.App.ID, Version: d.Release.Version}, func() error {
		c.runs.jobs[d.App.ID] = append(c.runs.jobs[d.App.ID], Started{Job: j, Version: d.Release.Version})
		return nil
	})
}

// beside is do for calls that may overlap with others.
func (c *Cluster) beside(ctx context.Context, call Call, effect func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, call)
	if err := c.errors[call.Name]; err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return effect()
}

// RunStep runs a job unless one of that name has been.
func (c *Cluster) RunStep(ctx context.Context, d control.Deployment, j control.Job) error {
	return c.do(ctx, Call{Name: "RunStep", App: d.App.ID, Version: d.Release.Version, Ptypes: []string{j.For}}, func() error {
		known := slices.ContainsFunc(c.runs.jobs[d.App.ID], func(s Started) bool { return s.Name == j.Name })
		if !known {
			c.runs.jobs[d.App.ID] = append(c.runs.jobs[d.App.ID], Started{Job: j, Version: d.Release.Version, Step: true})
		}
		if c.runs.step != nil {
			return c.runs.step(d, j)
		}
		return nil
	})
}

// EndSteps lets the app's steps go.
func (c *Cluster) EndSteps(ctx context.Context, app string) error {
	return c.do(ctx, Call{Name: "EndSteps", App: app}, func() error {
		for i := range c.runs.jobs[app] {
			c.runs.jobs[app][i].Ended = c.runs.jobs[app][i].Ended || c.runs.jobs[app][i].Step
		}
		return nil
	})
}

// Ptypes lists what runs, by name.
func (c *Cluster) Ptypes(_ context.Context, app string) ([]platform.PtypeStatus, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []platform.PtypeStatus
	for _, ptype := range slices.Sorted(maps.Keys(c.apps[app])) {
		r := c.apps[app][ptype]
		out = append(out, platform.PtypeStatus{
			Name: ptype, Release: fmt.Sprintf("v%d", r.Version), Ready: r.Replicas, Wanted: r.Replicas, UpToDate: r.Replicas, Available: r.Replicas,
		})
	}
	return out, c.errors["Ptypes"]
}

// DescribePtype tells the image of what runs.
func (c *Cluster) DescribePtype(_ context.Context, app, ptype string) ([]platform.Container, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.apps[app][ptype]
	if !ok {
		return nil, platform.Errorf(platform.NotFound, "no such process type")
	}
	return []platform.Container{{Name: app + "-" + ptype, Image: r.Image, Limits: map[string]string{"cpu": "1"}}}, nil
}

// DescribePod tells the image of a pod, or of a job.
func (c *Cluster) DescribePod(ctx context.Context, app, pod string) ([]platform.Container, error) {
	pods, err := c.Pods(ctx, app)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range pods {
		if p.Name == pod || strings.HasSuffix(p.Name, "-0") && strings.TrimSuffix(p.Name, "-0") == pod {
			return []platform.Container{{
				Name: app + "-" + p.Type, Image: c.apps[app][p.Type].Image, Ready: true, Status: "Running",
				State: map[string]any{"running": map[string]any{"startedAt": "2026-01-02T03:04:05Z"}},
			}}, nil
		}
	}
	return nil, platform.Errorf(platform.NotFound, "no such pod")
}

// DeletePods counts the call.
func (c *Cluster) DeletePods(ctx context.Context, app string, pods []string) error {
	for _, pod := range pods {
		if _, err := c.DescribePod(ctx, app, pod); err != nil {
			return err
		}
	}
	return c.beside(ctx, Call{Name: "DeletePods", App: app, Ptypes: pods}, func() error { return nil })
}

// PodEvents tells of one event of a pod that runs.
func (c *Cluster) PodEvents(ctx context.Context, app, pod string) ([]platform.ClusterEvent, error) {
	if _, err := c.DescribePod(ctx, app, pod); err != nil {
		return nil, nil
	}
	return []platform.ClusterEvent{{Reason: "Started", Message: "Started container", Created: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)}}, nil
}

// PtypeEvents tells of one event of a process type that runs.
func (c *Cluster) PtypeEvents(ctx context.Context, app, ptype string) ([]platform.ClusterEvent, error) {
	if _, err := c.DescribePtype(ctx, app, ptype); err != nil {
		return nil, nil
	}
	return []platform.ClusterEvent{{Reason: "ScalingReplicaSet", Message: "Scaled up " + ptype, Created: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)}}, nil
}

// Usage tells what Use was told.
func (c *Cluster) Usage(_ context.Context, app string) ([]platform.PodUsage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.runs.usage[app], c.errors["Usage"]
}

// PodLog writes what the pod said and, with Follow, says from then on.
func (c *Cluster) PodLog(ctx context.Context, app, pod string, o control.LogOptions, w io.Writer) error {
	write := func(l platform.LogLine) error {
		if l.Pod != pod {
			return nil
		}
		_, err := io.WriteString(w, l.Text+"\n")
		return err
	}
	lines, err := c.Logs(ctx, app, 1000)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if err := write(l); err != nil {
			return err
		}
	}
	if !o.Follow {
		return nil
	}
	return c.follow(ctx, app, len(lines), write)
}

// Logs lists what was said.
func (c *Cluster) Logs(_ context.Context, app string, lines int) ([]platform.LogLine, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.runs.lines[app]
	return slices.Clone(all[max(0, len(all)-lines):]), c.errors["Logs"]
}

// FollowLogs hands over what is said after the lines that are known.
func (c *Cluster) FollowLogs(ctx context.Context, app string, since time.Time, after map[string]time.Time, emit func(platform.LogLine) error) error {
	return c.follow(ctx, app, 0, func(l platform.LogLine) error {
		from := since
		if at, ok := after[l.Pod]; ok {
			from = at
		}
		if !l.Time.After(from) {
			return nil
		}
		return emit(l)
	})
}

func (c *Cluster) follow(ctx context.Context, app string, known int, emit func(platform.LogLine) error) error {
	for {
		c.mu.Lock()
		news, said := slices.Clone(c.runs.lines[app][known:]), c.runs.said
		c.mu.Unlock()
		known += len(news)
		for _, l := range news {
			if err := emit(l); err != nil {
				return err
			}
		}
		select {
		case <-said:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Exec plays the command.
func (c *Cluster) Exec(ctx context.Context, app, pod string, command []string, t control.Terminal) (int, error) {
	return c.play(ctx, app, pod, command, t)
}

// Attach plays the pod's process, which has no words here.
func (c *Cluster) Attach(ctx context.Context, app, pod string, t control.Terminal) (int, error) {
	return c.play(ctx, app, pod, nil, t)
}

func (c *Cluster) play(ctx context.Context, app, pod string, words []string, t control.Terminal) (int, error) {
	if _, err := c.DescribePod(ctx, app, pod); err != nil {
		return 0, err
	}
	c.mu.Lock()
	command := c.runs.command
	c.mu.Unlock()
	return command(ctx, pod, words, t)
}
