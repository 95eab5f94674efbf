package build

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// The stacks.
const (
	Container = "container" // a Dockerfile
	Buildpack = "buildpack"
)

// Files of a tree that say how it is built.
const (
	dockerfileName  = "Dockerfile"
	procfileName    = "Procfile"
	projectName     = "project.toml"
	buildArgsName   = ".build-arg"
	packBuilderName = ".pack-builder"
	clearCacheName  = ".clear-cache"
	dryccDir        = ".drycc"
)

// Plan is how a source tree is built and deployed.
type Plan struct {
	Stack      string            // Container or Buildpack
	Dockerfile string            // text of the main image's; empty when buildpacks make it
	Procfile   map[string]string // process type → command
	Dryccfile  []byte            // the .drycc directory as JSON; nil: no pipelines
	Images     []Image           // that Dockerfiles make, the main one among them
	Pack       *Pack             // the main image by buildpacks; nil: not
	NoCache    bool              // nothing that was cached is used
	SSHKey     string            // private key for what builds fetch
	Notes      []string          // what the pusher should know
}

// Image is one that a Dockerfile makes.
type Image struct {
	Ptype      string // platform.WebPtype: the main one
	Dockerfile string // path in the tree
	Args       map[string]string
}

// Pack is an image that buildpacks make.
type Pack struct {
	Builder    string            // reference of a builder image; empty: the platform's
	Env        map[string]string // of the buildpacks
	ClearCache bool
}

// MakePlan reads the source tree in the tar r and the app's config, its global
// group. What is wrong with either is Invalid, in words for the pusher.
func MakePlan(open func() (io.ReadCloser, error), config map[string]string, l Limits) (Plan, error) {
	t, err := scanFile(open, l, isConfigFile)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{NoCache: enabled(config["DRYCC_DISABLE_CACHE"])}
	p.Stack, p.Notes = chooseStack(t, config["DRYCC_STACK"])
	if p.SSHKey, err = sshKey(config["SSH_KEY"]); err != nil {
		return Plan{}, err
	}
	if p.Procfile, err = parseProcfile(t.content(procfileName)); err != nil {
		return Plan{}, err
	}
	pipelines, err := p.readDrycc(t)
	if err != nil {
		return Plan{}, err
	}
	args, err := buildArgs(t, config)
	if err != nil {
		return Plan{}, err
	}
	if err := p.planImages(t, pipelines, args); err != nil {
		return Plan{}, err
	}
	if p.Stack == Buildpack && p.main() == nil {
		p.Pack = &Pack{
			Builder: packBuilder(t, config), Env: packEnv(config, args),
			ClearCache: p.NoCache || t.file(clearCacheName),
		}
	}
	return p, p.readDockerfile(open, l, t)
}

// FileOpener opens the tar at name as often as MakePlan needs.
func FileOpener(name string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return os.Open(name) }
}

func scanFile(open func() (io.ReadCloser, error), l Limits, wanted func(string) bool) (*tree, error) {
	r, err := open()
	if err != nil {
		return nil, fmt.Errorf("opening the source tree: %w", err)
	}
	defer r.Close()
	return scan(r, l, wanted)
}

// isConfigFile reports whether a plan is made with the content of name.
func isConfigFile(name string) bool {
	dir, file := path.Split(name)
	switch dir {
	case "":
		return slices.Contains([]string{procfileName, buildArgsName, packBuilderName}, file)
	case dryccDir + "/":
		return isPipeline(file)
	case dryccDir + "/config/":
		return true
	}
	return false
}

// chooseStack follows the guide: DRYCC_STACK wins, then a Dockerfile, then a
// Procfile or project.toml. The guide's stack for what is left, container,
// needs a Dockerfile somewhere: without one, and without pipelines that may name
// one, the buildpacks get to see whether they know the language.
func chooseStack(t *tree, wanted string) (stack string, notes []string) {
	switch {
	case wanted == Container || wanted == Buildpack:
		return wanted, nil
	case wanted != "":
		notes = []string{fmt.Sprintf("DRYCC_STACK is %q, which is neither container nor buildpack: the files decide.", wanted)}
	}
	if !t.file(dockerfileName) && (t.file(procfileName) || t.file(projectName) || !t.hasPipelines()) {
		return Buildpack, notes
	}
	return Container, notes
}

// hasPipelines reports whether there is a file in .drycc that tells of one.
func (t *tree) hasPipelines() bool {
	for name := range t.members {
		if path.Dir(name) == dryccDir && isPipeline(path.Base(name)) {
			return true
		}
	}
	return false
}

// planImages lists the images that Dockerfiles make: those of pipelines with a
// build section, then the main one unless a pipeline has made it.
func (p *Plan) planImages(t *tree, pipelines []pipeline, args map[string]string) error {
	others := false // a process runs in the main image without building it
	for _, pl := range pipelines {
		if pl.Build == nil {
			others = others || pl.Deploy == nil || pl.Deploy.Image == ""
			continue
		}
		file := pl.Build.Docker
		if file == "" {
			file = dockerfileName
		}
		clean := path.Clean(file)
		if !t.file(clean) {
			return platform.FieldErrorf("dryccfile", "%s builds with %s, which is not in the source tree.", pl.file, quoted(file))
		}
		image := Image{Ptype: pl.Ptype, Dockerfile: clean, Args: maps.Clone(args)}
		for name, value := range pl.Build.Arg {
			if image.Args == nil {
				image.Args = map[string]string{}
			}
			image.Args[name] = value
		}
		p.Images = append(p.Images, image)
	}
	if p.main() != nil || p.Stack != Container {
		return nil
	}
	if t.file(dockerfileName) {
		p.Images = append(p.Images, Image{Ptype: platform.WebPtype, Dockerfile: dockerfileName, Args: args})
		return nil
	}
	if len(p.Images) > 0 && !others {
		return nil
	}
	return refusef("There is no Dockerfile at the top of the source tree. Commit one; or, for an app that buildpacks can build, commit a Procfile or set DRYCC_STACK=buildpack.")
}

// main is the main image, when a Dockerfile makes it.
func (p *Plan) main() *Image {
	for i := range p.Images {
		if p.Images[i].Ptype == platform.WebPtype {
			return &p.Images[i]
		}
	}
	return nil
}

// readDockerfile reads the main image's Dockerfile, whose text is part of a
// build, in a second pass: its name was not known in the first.
func (p *Plan) readDockerfile(open func() (io.ReadCloser, error), l Limits, t *tree) error {
	if p.Stack != Container || len(p.Images) == 0 {
		return nil
	}
	image := p.main()
	if image == nil {
		image = &p.Images[0]
	}
	at, _ := t.resolve(image.Dockerfile)
	again, err := scanFile(open, l, func(name string) bool { return name == at })
	if err != nil {
		return err
	}
	p.Dockerfile = string(again.read[at])
	if strings.TrimSpace(p.Dockerfile) == "" {
		return refusef("%s is empty.", image.Dockerfile)
	}
	return nil
}
