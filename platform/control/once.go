package control

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/platform"
)

// OneOff is a command to run once in an app's latest release.
type OneOff struct {
	Command []string          // empty: what the build itself says of Ptype
	Ptype   string            // whose config, limits and image it has; empty: run
	Volumes map[string]string // volume → path, besides those of Ptype
	Timeout int               // seconds until it is killed; 0: an hour
	Expires int               // seconds that it stays to be looked at; 0: two hours
	Stdin   bool              // wait for Attach
	TTY     bool
}

// RunOnce starts a command and returns the name under which it runs, which
// PodLog and Attach take. It does not wait for a deploy under way, as that may
// be waiting for the very thing that the command is to mend. To everybody who
// is no member of the app's workspace the app does not exist.
func (c *Controller) RunOnce(ctx context.Context, actor Actor, app string, o OneOff) (string, error) {
	a, err := c.memberApp(ctx, actor, app, platform.Member)
	if err != nil {
		return "", err
	}
	if a.Deleting {
		return "", platform.Errorf(platform.Conflict, "%s is being deleted", app)
	}
	if err := c.checkOneOff(&o); err != nil {
		return "", err
	}
	r, err := c.latest(ctx, app)
	if err != nil {
		return "", err
	}
	if r.Build == "" {
		return "", platform.Errorf(platform.Invalid, "no build available, please deploy a release")
	}
	d, err := c.prepare(ctx, r, []string{""}) // no process type: none is rolled out
	if err != nil {
		return "", err
	}
	j, err := c.oneOffJob(ctx, &d, o)
	if err != nil {
		return "", err
	}
	if err := c.cluster.StartJob(ctx, d, j); err != nil {
		return "", fmt.Errorf("app %s: run %s: %w", app, j.Name, err)
	}
	data, err := json.Marshal(map[string]string{"name": j.Name, "user": actor.User.Username})
	if err != nil {
		return "", err
	}
	_, err = c.store.AppendEvent(ctx, Event{App: app, Object: "run", Action: "start", Data: data, Created: c.now()})
	return j.Name, err
}

func (c *Controller) checkOneOff(o *OneOff) error {
	if o.Ptype == "" {
		o.Ptype = platform.RunPtype
	}
	if err := platform.ValidatePtype("ptype", o.Ptype); err != nil {
		return err
	}
	for _, word := range o.Command {
		if strings.IndexByte(word, 0) >= 0 {
			return platform.FieldErrorf("command", "The command holds a NUL byte.")
		}
	}
	if o.Timeout < 0 || o.Timeout > platform.MaxRunTimeout {
		return platform.FieldErrorf("timeout", "Ensure this value is between 0 and %d.", platform.MaxRunTimeout)
	}
	if o.Expires < 0 {
		return platform.FieldErrorf("expires", "Ensure this value is greater than or equal to 0.")
	}
	if o.Timeout == 0 {
		o.Timeout = platform.DefaultRunTimeout
	}
	if o.Expires == 0 || o.Expires > platform.MaxRunExpires {
		o.Expires = platform.MaxRunExpires
	}
	return nil
}

func (c *Controller) oneOffJob(ctx context.Context, d *Deployment, o OneOff) (Job, error) {
	launch, err := d.Build.LaunchOnce(o.Ptype, o.Command)
	if err != nil {
		return Job{}, err
	}
	suffix, err := c.suffix()
	if err != nil {
		return Job{}, err
	}
	p, err := c.once(ctx, d, o.Ptype, launch, o.Volumes)
	return Job{
		Name: jobName(d.App.ID, platform.RunPtype+"-"+suffix), For: o.Ptype, Process: p,
		Timeout: time.Duration(o.Timeout) * time.Second, Expires: time.Duration(o.Expires) * time.Second,
		Stdin: o.Stdin, TTY: o.TTY,
	}, err
}

// once is the process of a command that runs once as ptype. It is no member of
// the process type, whose requests must not come to it.
func (c *Controller) once(ctx context.Context, d *Deployment, ptype string, launch platform.Launch, volumes map[string]string) (Process, error) {
	env := platform.Environment(d.App, d.Release, d.Build, d.Config, ptype)
	plan := d.limit(d.Config.Limits[ptype])
	p := Process{
		Ptype: platform.RunPtype, Replicas: 1, Image: launch.Image, Command: launch.Command, Args: launch.Args,
		Env: env, Plan: toPlan(plan), Grace: d.tuning.grace(d.Config, ptype),
		NodeSelector: d.tuning.selector(plan, d.Config.Tags[ptype]), PullPolicy: d.tuning.pull(env),
	}
	reg := d.Config.Registry[ptype]
	if reg["username"] == "" {
		reg = d.Config.Registry[platform.WebPtype] // whose image it mostly has
	}
	if reg["username"] != "" {
		p.PullSecret = &PullSecret{Hostname: reg["hostname"], Username: reg["username"], Password: reg["password"]}
	}
	return p, c.mountOnce(ctx, d, ptype, volumes, &p)
}

// mountOnce gives p the volumes that ptype mounts and those that were asked
// for, and lets d name them.
func (c *Controller) mountOnce(ctx context.Context, d *Deployment, ptype string, extra map[string]string, p *Process) error {
	all, err := c.store.AllVolumes(ctx, d.App.ID)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(v platform.Volume) bool { return v.Deleting })
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		i := slices.IndexFunc(all, func(v platform.Volume) bool { return v.Name == name })
		if i < 0 {
			return platform.FieldErrorf("volumes", "the app has no volume %s", name)
		}
		if all[i].Type == platform.VolumeOSS {
			return platform.FieldErrorf("volumes", ossMessage, name)
		}
		path, err := platform.ParseVolumePath(extra[name])
		if err != nil {
			return err
		}
		all[i].Path = cloneMap(all[i].Path)
		all[i].Path[ptype] = path
	}
	d.Volumes = slices.DeleteFunc(all, func(v platform.Volume) bool { return v.Path[ptype] == "" })
	p.Mounts = platform.MountsOf(d.Volumes, ptype)
	for i := 1; i < len(p.Mounts); i++ {
		if p.Mounts[i].Path == p.Mounts[i-1].Path {
			return platform.FieldErrorf("volumes", "path %s is used by another volume", p.Mounts[i].Path)
		}
	}
	return nil
}

const (
	suffixLetters = "bcdfghjklmnpqrstvwxz2456789" // no words by chance
	suffixLength  = 5
)

// maxJobName leaves room for what the cluster adds for the name of a pod.
const maxJobName = 57

// jobName is app and what, the app shortened where that is too long. Jobs of
// different apps never meet, so nothing is lost.
func jobName(app, what string) string {
	if room := maxJobName - len(what) - 1; len(app) > room {
		app = strings.TrimRight(app[:room], "-")
	}
	return app + "-" + what
}

func (c *Controller) suffix() (string, error) {
	raw := make([]byte, suffixLength)
	if _, err := io.ReadFull(c.random, raw); err != nil {
		return "", fmt.Errorf("making a name: %w", err)
	}
	for i, b := range raw {
		raw[i] = suffixLetters[int(b)%len(suffixLetters)]
	}
	return string(raw), nil
}
