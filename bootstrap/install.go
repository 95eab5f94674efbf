package bootstrap

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// File is a file that a step writes.
type File struct {
	Path string
	Data []byte
	Perm fs.FileMode
}

// Part is a piece of a plan that another room owns.
type Part struct {
	Name string
	// Done looks whether it is done already; nil asks Do every time.
	Done func(ctx context.Context) (bool, error)
	// Do does it, waits for it, and tells note what it waits for.
	Do func(ctx context.Context, note func(string)) error
}

// InstallDeps are what the plan install needs from others.
type InstallDeps struct {
	Host       host.Host
	Service    host.Service
	Settings   Settings
	Executable string // the running binary, which is what gets installed

	// Stage unpacks the payload below Paths.Bin and the engine's image folder.
	Stage Part
	// Restore, when it is not nil, puts the data of a backup into the folders
	// that the step before has made ours, before anything makes its own there.
	Restore *Part
	// EngineFiles are the configuration of k3s: config.yaml, registries.yaml
	// and the like.
	EngineFiles func() ([]File, error)
	// NodeReady waits until this node is Ready.
	NodeReady Part
	// Cluster has the cluster made ready for this node; nil when there is
	// nothing to do.
	Cluster *Part
	// Charts are installed, or waited for, in this order. None on an agent.
	Charts []Part
	// Controller waits until the controller is healthy. Nil on an agent.
	Controller *Part
}

// InstallPlan is the list of steps that make a host a node of the platform. The
// binary is the first thing written, so going back it is the last removed.
func InstallPlan(d InstallDeps) []Step {
	steps := []Step{d.stageStep()}
	if d.Restore != nil {
		steps = append(steps, Step{Name: d.Restore.Name, Done: d.Restore.Done, Do: func(ctx context.Context, j *Journal) error {
			return d.Restore.Do(ctx, j.Note)
		}})
	}
	if d.Cluster != nil {
		c := *d.Cluster
		do := func(ctx context.Context, j *Journal) error { return c.Do(ctx, j.Note) }
		steps = append(steps, Step{Name: c.Name, Done: c.Done, Do: do})
	}
	steps = append(steps, d.kernelStep(), d.configStep(), d.serviceStep())
	if d.Settings.SkipStart {
		return steps
	}
	steps = append(steps, d.partStep(d.NodeReady))
	for _, c := range d.Charts {
		steps = append(steps, d.partStep(c))
	}
	if d.Controller != nil {
		steps = append(steps, d.partStep(*d.Controller))
	}
	return steps
}

func (d InstallDeps) paths() Paths { return NewPaths(d.Settings) }

// stepStage is the first step that changes a host.
const stepStage = "stage"

// stageStep installs the binary and unpacks what it carries.
func (d InstallDeps) stageStep() Step {
	p := d.paths()
	return Step{
		Name: stepStage,
		Done: func(ctx context.Context) (bool, error) {
			same, err := sameContents(d.Host, d.Executable, p.Binary)
			if err != nil || !same || d.Stage.Done == nil {
				return false, err
			}
			return d.Stage.Done(ctx)
		},
		Do: func(ctx context.Context, j *Journal) error {
			if d.Executable != p.Binary {
				if err := j.CopyFile(d.Executable, p.Binary, 0o755); err != nil {
					return err
				}
			}
			for _, s := range append(p.OwnTrees(), p.EngineTrees()...) {
				if err := j.Own(s); err != nil {
					return err
				}
			}
			for _, dir := range []string{p.Bin, p.LogDir, p.RunDir} {
				if err := j.Mkdir(dir, 0o755); err != nil {
					return err
				}
			}
			if d.Stage.Do == nil {
				return nil
			}
			return d.Stage.Do(ctx, j.Note)
		},
	}
}

// sameContents compares two files, by size first.
func sameContents(h host.Files, a, b string) (bool, error) {
	if a == b {
		return true, nil
	}
	sa, err := h.Stat(a)
	if err != nil {
		return false, err
	}
	sb, err := h.Stat(b)
	if isAbsent(err) {
		return false, nil
	}
	if err != nil || sa.Size != sb.Size {
		return false, err
	}
	ha, err := h.Hash(a)
	if err != nil {
		return false, err
	}
	hb, err := h.Hash(b)
	return ha == hb, err
}

// files are all configuration files with their contents.
func (d InstallDeps) files() ([]File, error) {
	p := d.paths()
	config, err := d.Settings.ConfigFile()
	if err != nil {
		return nil, err
	}
	secrets, err := d.Settings.CredentialsFile()
	if err != nil {
		return nil, err
	}
	files := []File{{p.Config, config, 0o644}, {p.Credentials, secrets, 0o600}}
	if d.EngineFiles == nil {
		return files, nil
	}
	engine, err := d.EngineFiles()
	return append(files, engine...), err
}

// ConfigStep writes the settings and the engine's configuration; whoever runs
// it alone has the server read them.
func ConfigStep(d InstallDeps) Step { return d.configStep() }

// Reconfigure brings an installation to other settings: it writes the
// configuration and has the server read it. The binary and what it carries stay.
func (in Install) Reconfigure(ctx context.Context) (err error) {
	d := in.Deps
	release, err := lock(d.Host, d.paths())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	ledger, err := OpenLedger(d.Host, d.paths().Ledger, in.Clock)
	if err != nil {
		return asRoot(err)
	}
	if !ledger.Installed() {
		return errors.New("nothing is installed here; run \"slipway install\" first")
	}
	r := &Runner{Host: d.Host, Ledger: ledger, Service: d.Service, Progress: in.Progress, Clock: in.Clock}
	return r.Run(ctx, InstallPlan(d)[1:]) // all but the first, which unpacks
}

// configStep writes the settings and the engine's configuration.
func (d InstallDeps) configStep() Step {
	return Step{
		Name: "k3s config",
		Done: func(context.Context) (bool, error) {
			files, err := d.files()
			if err != nil {
				return false, err
			}
			for _, f := range files {
				data, err := d.Host.ReadFile(f.Path)
				if err != nil && !isAbsent(err) {
					return false, err
				}
				if err != nil || string(data) != string(f.Data) {
					return false, nil
				}
			}
			return true, nil
		},
		Do: func(_ context.Context, j *Journal) error {
			files, err := d.files()
			if err != nil {
				return err
			}
			for _, f := range files {
				if err := j.WriteFile(f.Path, f.Data, f.Perm); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// GenerationEnv names, in the server's environment, the binary and the
// configuration it was started with. A server of another generation has to be
// restarted; asking the process is proof against being killed in between.
const GenerationEnv = "SLIPWAY_GENERATION"

func (d InstallDeps) generation() (string, error) {
	h := sha256.New()
	sum, err := d.Host.Hash(d.paths().Binary)
	if err != nil {
		return "", err
	}
	fmt.Fprintln(h, sum)
	files, err := d.files()
	if err != nil {
		return "", err
	}
	for _, f := range files {
		fmt.Fprintf(h, "%s %x\n", f.Path, sha256.Sum256(f.Data))
	}
	env, err := d.Settings.Environment()
	if err != nil {
		return "", err
	}
	h.Write(env)
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// serviceStep hands the server to the service manager and starts it.
func (d InstallDeps) serviceStep() Step {
	return Step{
		Name: "service",
		Done: func(ctx context.Context) (bool, error) {
			if d.Settings.ForceRestart || d.Settings.SkipStart {
				return false, nil
			}
			want, err := d.generation()
			if err != nil {
				return false, err
			}
			return d.runs(ctx, want)
		},
		Do: func(ctx context.Context, j *Journal) error {
			want, err := d.generation()
			if err != nil {
				return err
			}
			env, err := d.Settings.Environment(host.EnvValue{Name: GenerationEnv, Value: want})
			if err != nil {
				return err
			}
			if err := j.WriteFile(d.paths().EnvFile, env, 0o600); err != nil {
				return err
			}
			install := func(ctx context.Context, w host.Writer) error {
				return d.Service.Install(ctx, w, !d.Settings.SkipEnable)
			}
			if err := j.Service(ctx, "slipway", install); err != nil {
				return err
			}
			if d.Settings.SkipStart {
				return nil
			}
			if running, err := d.runs(ctx, want); err != nil || (running && !d.Settings.ForceRestart) {
				return err
			}
			return d.Service.Start(ctx)
		},
	}
}

// runs reports whether the service runs in the wanted generation.
func (d InstallDeps) runs(ctx context.Context, generation string) (bool, error) {
	st, err := d.Service.Status(ctx)
	if err != nil || !st.Running {
		return false, err
	}
	all, err := d.Host.Processes()
	if err != nil {
		return false, err
	}
	for _, p := range all {
		if p.PID != st.PID {
			continue
		}
		env, err := d.Host.Environ(p)
		if errors.Is(err, host.ErrGone) {
			return false, nil
		}
		return env[GenerationEnv] == generation, err
	}
	return false, nil
}

// tooManyRestarts is when a wait for a server that keeps ending is given up.
const tooManyRestarts = 3

// partStep waits for a part of the running platform, but not for a server that
// keeps ending.
func (d InstallDeps) partStep(part Part) Step {
	return Step{Name: part.Name, Done: part.Done, Do: func(ctx context.Context, j *Journal) error {
		ctx, cancel := context.WithCancelCause(ctx)
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			cancel(d.watch(ctx))
		}()
		err := part.Do(ctx, j.Note)
		cancel(nil)
		<-watched
		if err == nil {
			return nil
		}
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
			err = cause
		}
		return fmt.Errorf("%w (log: %s)", err, d.Service.Logs())
	}}
}

// watch returns an error when the service keeps ending, nil when ctx ends.
func (d InstallDeps) watch(ctx context.Context) error {
	const every = 2 * time.Second
	first := -1
	for d.Host.Wait(ctx, every) == nil {
		st, err := d.Service.Status(ctx)
		if err != nil {
			continue // asked again soon; the wait itself has its own limit
		}
		if first < 0 || st.Restarts < first {
			first = st.Restarts
		}
		if st.Restarts-first >= tooManyRestarts {
			return fmt.Errorf("the server keeps ending: %s", st.Detail)
		}
	}
	return nil
}
