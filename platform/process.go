package platform

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// WebPtype is the process type that is routed and starts with one replica.
const WebPtype = "web"

// ValidateProcfile checks the process types and their commands.
func ValidateProcfile(procfile map[string]string) error {
	for _, ptype := range sortedKeys(procfile) {
		if err := ValidatePtype("procfile", ptype); err != nil {
			return err
		}
		if strings.TrimSpace(procfile[ptype]) == "" {
			return FieldErrorf("procfile", "Command can't be empty for process type")
		}
		if strings.IndexByte(procfile[ptype], 0) >= 0 {
			return FieldErrorf("procfile", "The command of %s holds a NUL byte.", ptype)
		}
	}
	return nil
}

// Ptypes lists the process types that b offers, sorted: those of its pipelines,
// else of its Procfile, else web alone.
func (b Build) Ptypes() ([]string, error) {
	d, err := ParseDryccfile(b.Dryccfile)
	if err != nil {
		return nil, err
	}
	if d != nil {
		ptypes := map[string]bool{}
		for _, p := range d.Pipelines {
			ptypes[p.Ptype] = true
		}
		return sortedKeys(ptypes), nil
	}
	if len(b.Procfile) > 0 {
		return sortedKeys(b.Procfile), nil
	}
	return []string{WebPtype}, nil
}

// Launch is what runs in the container of one process type.
type Launch struct {
	Image   string
	Command []string // replaces the image's entry point when not empty
	Args    []string // handed to the entry point
}

// Launch works out image, command and arguments of ptype.
//
// A pipeline decides when there is one. Otherwise an image or Dockerfile build
// hands its Procfile line, split at white space, to the image's entry point; in
// the image of a buildpack build (a commit without Dockerfile) each process
// type has an entry point of its own, and commands go through the launcher,
// which knows where the buildpacks put what they need.
func (b Build) Launch(ptype string) (Launch, error) {
	d, err := ParseDryccfile(b.Dryccfile)
	if err != nil {
		return Launch{}, err
	}
	if d != nil {
		p := d.pipelineOf(ptype)
		if p == nil {
			return Launch{}, Errorf(Invalid, "process type %s is not exists", ptype)
		}
		return b.launched(ptype, Launch{Image: b.pipelineImage(d, p.Deploy.Image, p), Command: p.Deploy.Command, Args: p.Deploy.Args}), nil
	}
	l := Launch{Image: b.Image}
	if b.packed() {
		return b.launched(ptype, l), nil
	}
	if line, ok := b.Procfile[ptype]; ok && (b.Dockerfile != "" || b.SHA == "") {
		l.Args = strings.Fields(line)
	}
	return l, nil
}

// Where the image of a buildpack build has its entry points.
const (
	packsLauncher  = "/cnb/lifecycle/launcher"
	packsProcesses = "/cnb/process/"
)

// packed reports whether buildpacks of this platform made the image.
func (b Build) packed() bool { return b.Stack == "buildpack" && b.SHA != "" && b.Dockerfile == "" }

// launched completes what is launched in the image that buildpacks made: the
// process of that type, or the given command in the environment that processes
// have. Other images are not its business.
func (b Build) launched(ptype string, l Launch) Launch {
	switch {
	case !b.packed() || l.Image != b.Image:
	case len(l.Command) > 0:
		l.Command, l.Args = []string{packsLauncher}, append(append([]string{"--"}, l.Command...), l.Args...)
	case ptype != WebPtype:
		l.Command = []string{packsProcesses + ptype}
	}
	return l
}

// pipelineImage resolves the image of a step of p: empty is the pipeline's own,
// the name of another process type is that one's, anything else a full
// reference.
func (b Build) pipelineImage(d *Dryccfile, image string, p *Pipeline) string {
	if image != "" && image != p.Ptype {
		other := d.pipelineOf(image)
		if other == nil {
			return image
		}
		p = other
	}
	if p.Built && p.Ptype != WebPtype {
		return b.Image + "-" + p.Ptype
	}
	return b.Image
}

// ValuesOf returns the config variables of ptype: the global group, then the
// groups it refers to in order, then its own, later ones winning.
func (c Config) ValuesOf(ptype string) map[string]string {
	env := map[string]string{}
	groups := append([]string{GlobalGroup}, c.ValuesRefs[ptype]...)
	for _, group := range groups {
		for _, v := range c.Values {
			if v.Group == group && v.Ptype == "" {
				env[v.Name] = v.Value
			}
		}
	}
	for _, v := range c.Values {
		if v.Ptype == ptype {
			env[v.Name] = v.Value
		}
	}
	return env
}

// Port is the port that ptype listens on.
func (c Config) Port(ptype string) int {
	port, err := ParsePort(c.ValuesOf(ptype)["PORT"])
	if err != nil {
		return DefaultPort
	}
	return port
}

// Environment is the complete environment of a process, PORT included. The
// pod's own address is the cluster's to add.
func Environment(a App, r Release, b Build, c Config, ptype string) map[string]string {
	env := map[string]string{
		"DRYCC_APP":                   a.ID,
		"DRYCC_WORKSPACE":             a.Workspace,
		"WORKFLOW_RELEASE":            fmt.Sprintf("v%d", r.Version),
		"WORKFLOW_RELEASE_SUMMARY":    r.Summary,
		"WORKFLOW_RELEASE_CREATED_AT": r.Created.UTC().Format(time.RFC3339),
		"SOURCE_VERSION":              b.SHA,
	}
	for name, value := range c.ValuesOf(ptype) {
		env[name] = value
	}
	env["PORT"] = strconv.Itoa(c.Port(ptype))
	return env
}

// GraceOf is how long a pod of ptype may take to stop: its own setting, else
// the platform's variable in its config, else 30 seconds.
func (c Config) GraceOf(ptype string) time.Duration {
	return c.GraceOr(ptype, DefaultGrace*time.Second)
}

// GraceOr is GraceOf with another default.
func (c Config) GraceOr(ptype string, otherwise time.Duration) time.Duration {
	own := []string{c.TerminationGrace[ptype], c.ValuesOf(ptype)["KUBERNETES_POD_TERMINATION_GRACE_PERIOD_SECONDS"]}
	for _, s := range own {
		if s == "" || ValidateGrace(s) != nil {
			continue
		}
		if seconds, err := strconv.Atoi(s); err == nil {
			return time.Duration(seconds) * time.Second
		}
	}
	return otherwise
}

// Seen adds to the structure the process types that are new: web starts with
// one replica, every other with none. It reports whether any was new and does
// not change the map it was given.
func Seen(structure map[string]int, ptypes []string) (map[string]int, bool) {
	out := make(map[string]int, len(structure)+len(ptypes))
	for ptype, n := range structure {
		out[ptype] = n
	}
	changed := false
	for _, ptype := range ptypes {
		if _, ok := out[ptype]; ok {
			continue
		}
		out[ptype] = 0
		if ptype == WebPtype {
			out[ptype] = 1
		}
		changed = true
	}
	return out, changed
}
