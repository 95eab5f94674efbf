package platform

import "strings"

// RunPtype is the process type of commands that are run once.
const RunPtype = "run"

// Bounds of a command that is run once, in seconds.
const (
	DefaultRunTimeout = 60 * 60
	MaxRunTimeout     = 24 * 60 * 60
	MaxRunExpires     = 2 * 60 * 60
)

// LaunchOnce works out image, command and arguments of a command that is run
// once as ptype. The command is handed to the image's entry point, as a
// Procfile line is. Without one, what b itself says of ptype is run; when it
// says nothing that is an Invalid error.
func (b Build) LaunchOnce(ptype string, command []string) (Launch, error) {
	d, err := ParseDryccfile(b.Dryccfile)
	if err != nil {
		return Launch{}, err
	}
	var own *Pipeline
	if d != nil {
		own = d.pipelineOf(ptype)
	}
	if len(command) == 0 {
		switch {
		case own != nil:
			return b.Launch(ptype)
		case d == nil && strings.TrimSpace(b.Procfile[ptype]) != "":
			if b.packed() {
				return Launch{Image: b.Image, Command: []string{packsProcesses + ptype}}, nil
			}
			return Launch{Image: b.Image, Args: strings.Fields(b.Procfile[ptype])}, nil
		}
		return Launch{}, Errorf(Invalid, "command is a required field, or it can be defined in Procfile")
	}
	l := Launch{Image: b.Image, Args: command}
	if own != nil {
		l.Image = b.pipelineImage(d, own.Deploy.Image, own)
	}
	return b.launchedOnce(l), nil
}

// launchedOnce has a command that is run once in the image that buildpacks made
// run as their processes do. Another entry point than the launcher would start
// the web process.
func (b Build) launchedOnce(l Launch) Launch {
	if words := append(append([]string{}, l.Command...), l.Args...); b.packed() && l.Image == b.Image && len(words) > 0 {
		l.Command, l.Args = []string{packsLauncher}, append([]string{"--"}, words...)
	}
	return l
}

// RunStep is what has to end well before the process type of a pipeline is
// rolled out.
type RunStep struct {
	Launch
	Timeout int // seconds
}

// RunStep returns the step of ptype, nil when it has none.
func (b Build) RunStep(ptype string) (*RunStep, error) {
	d, err := ParseDryccfile(b.Dryccfile)
	if d == nil || err != nil {
		return nil, err
	}
	p := d.pipelineOf(ptype)
	if p == nil || p.Run == nil {
		return nil, nil
	}
	step := &RunStep{Timeout: p.Run.Timeout, Launch: b.launchedOnce(Launch{
		Image: b.pipelineImage(d, p.Run.Image, p), Command: p.Run.Command, Args: p.Run.Args,
	})}
	if step.Timeout == 0 {
		step.Timeout = DefaultRunTimeout
	}
	return step, nil
}

// checkRunStep refuses a step that could never be carried out.
func checkRunStep(file string, run *PipelineStep) error {
	switch {
	case run == nil:
		return nil
	case len(run.Command)+len(run.Args) == 0 && run.Image == "":
		return FieldErrorf("dryccfile", "%s: run needs a command, args or an image of its own", file)
	case run.Timeout < 0 || run.Timeout > MaxRunTimeout:
		return FieldErrorf("dryccfile", "%s: the timeout of run has to be between 1 and %d seconds", file, MaxRunTimeout)
	}
	return nil
}
