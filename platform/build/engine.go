package build

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

var _ control.Builder = (*Engine)(nil)

// Options are what an Engine is made of. Zero limits take their defaults.
type Options struct {
	Pod      Pod
	Registry Registry
	Domain   string   // the platform's: images are called registry.<Domain>/…
	Former   []string // domains it had before: old images are called registry.<former>/…
	Packer   Packer   // nil: no buildpacks
	Carried  Carried
	Source   Limits
	Time     time.Duration // that a build may take; 0: as long as its ctx lasts
	Disk     int64         // bytes that a build may write; default 10 GiB
	Free     int64         // bytes that stay free on the builder's disk; default 2 GiB
	Logger   *logrus.Logger
}

// Packer makes images with buildpacks.
type Packer interface {
	// Pack builds the source tree at source into repository and returns the
	// digest of the image there and the processes that its buildpacks found.
	// Errors are those of control.Builder.
	Pack(ctx context.Context, o PackOrder, source string, log io.Writer) (PackResult, error)
}

// PackOrder is what a Packer has to know.
type PackOrder struct {
	ID         string
	App        platform.App
	Tenant     string // what is cached is shared within it only
	Repository string // "web/web"
	Plan       Plan   // Plan.Pack is set
}

// PackResult is what a Packer made.
type PackResult struct {
	Digest    string            // of the image in the repository
	Processes map[string]string // process type → command; nil: the launcher's default only
}

// Engine is a control.Builder on the builder in the cluster. Make it with New.
type Engine struct {
	opts Options

	mu     sync.Mutex
	stored bool // the carried base images are in the registry
}

// New makes an Engine. It makes no request.
func New(o Options) *Engine {
	o.Source = o.Source.orDefault()
	if o.Disk <= 0 {
		o.Disk = 10 << 30
	}
	if o.Free <= 0 {
		o.Free = 2 << 30
	}
	if o.Logger == nil {
		o.Logger = logrus.New()
		o.Logger.SetOutput(io.Discard)
	}
	return &Engine{opts: o}
}

// Build makes the images that an order asks for.
func (e *Engine) Build(ctx context.Context, bo control.BuildOrder, log io.Writer) (control.NewBuild, error) {
	plan, err := MakePlan(FileOpener(bo.Tar), bo.Config, e.opts.Source)
	if err != nil {
		return control.NewBuild{}, err
	}
	for _, note := range plan.Notes {
		fmt.Fprintln(log, "--->", note)
	}
	limited, cancel := e.limit(ctx)
	defer cancel()
	n, err := e.build(limited, bo, plan, log)
	if err != nil && limited.Err() != nil {
		err = context.Cause(limited)
	}
	return n, err
}

func (e *Engine) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.opts.Time <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, e.opts.Time, platform.Errorf(platform.Invalid,
		"The build took longer than %s, which is what a build may take.", e.opts.Time))
}

func (e *Engine) build(ctx context.Context, bo control.BuildOrder, plan Plan, log io.Writer) (control.NewBuild, error) {
	if err := e.storeCarried(ctx); err != nil {
		return control.NewBuild{}, err
	}
	made := made{digests: map[string]string{}, procfile: plan.Procfile}
	if len(plan.Images) > 0 {
		digests, err := e.solve(ctx, bo, plan, log)
		if err != nil {
			return control.NewBuild{}, err
		}
		made.digests = digests
	}
	if plan.Pack != nil {
		if err := e.pack(ctx, bo, plan, &made, log); err != nil {
			return control.NewBuild{}, err
		}
	}
	image, err := e.name(ctx, bo, plan, made.digests)
	if err != nil {
		return control.NewBuild{}, err
	}
	return control.NewBuild{
		Image: image, Stack: plan.Stack, SHA: bo.SHA, Dockerfile: plan.Dockerfile,
		Procfile: made.procfile, Dryccfile: plan.Dryccfile,
	}, nil
}

// made is what came out of a build.
type made struct {
	digests  map[string]string // process type → digest
	procfile map[string]string
}

func (e *Engine) pack(ctx context.Context, bo control.BuildOrder, plan Plan, m *made, log io.Writer) error {
	if e.opts.Packer == nil {
		return refusef("This platform has no buildpacks. Commit a Dockerfile at the top of the source tree.")
	}
	result, err := e.opts.Packer.Pack(ctx, PackOrder{
		ID: bo.ID, App: bo.App, Tenant: tenant(bo.App), Repository: repository(bo.App), Plan: plan,
	}, bo.Tar, log)
	if err != nil {
		return err
	}
	m.digests[platform.WebPtype] = result.Digest
	if len(m.procfile) == 0 {
		m.procfile = result.Processes
	}
	return nil
}

// solve has Dockerfiles built.
func (e *Engine) solve(ctx context.Context, bo control.BuildOrder, plan Plan, log io.Writer) (map[string]string, error) {
	source, err := os.Open(bo.Tar)
	if err != nil {
		return nil, fmt.Errorf("opening the source tree: %w", err)
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return nil, fmt.Errorf("looking at the source tree: %w", err)
	}
	o := order{
		ID: bo.ID, Tenant: tenant(bo.App),
		Registry: e.opts.Registry.Address, Aliases: e.hosts(), Repository: repository(bo.App),
		Username: e.opts.Registry.Username, Password: e.opts.Registry.Password,
		SSHKey: plan.SSHKey, NoCache: plan.NoCache,
		TarBytes: info.Size(), DiskBytes: e.opts.Disk, FreeBytes: e.opts.Free,
	}
	for _, image := range plan.Images {
		o.Images = append(o.Images, orderImage(image))
	}
	digests, err := solve(ctx, e.opts.Pod, o, io.LimitReader(source, info.Size()), log)
	if err != nil {
		return nil, err
	}
	for _, image := range plan.Images {
		if digests[image.Ptype] == "" {
			return nil, failure("builder", "it made no image of "+image.Ptype)
		}
	}
	return digests, nil
}

// host is the registry's name in image references.
func (e *Engine) host() string { return "registry." + e.opts.Domain }

// hosts are all names that the registry has in image references.
func (e *Engine) hosts() []string {
	all := []string{e.host()}
	for _, d := range e.opts.Former {
		all = append(all, "registry."+d)
	}
	return all
}

// repository is where an app's images are: no other app's begins so.
func repository(a platform.App) string { return path.Join(a.ID, a.ID) }

// tenant is whose cache a build uses: an app's, also when another one with the
// same name comes after it.
func tenant(a platform.App) string {
	const most, id = 50, 8
	short := a.ID
	if len(short) > most {
		short = short[:most]
	}
	if len(a.UUID) >= id {
		return short + "-" + a.UUID[:id]
	}
	return short
}

// name gives the images their tags and returns the reference of the main one,
// to which a process type's name is appended for that of another. Releases of
// old pull by these names: one that is taken by another image stays as it is.
func (e *Engine) name(ctx context.Context, bo control.BuildOrder, plan Plan, digests map[string]string) (string, error) {
	wanted := map[string]string{} // suffix of the tag → digest
	for ptype, digest := range digests {
		if ptype == platform.WebPtype {
			wanted[""] = digest
		} else {
			wanted["-"+ptype] = digest
		}
	}
	if wanted[""] == "" && len(plan.Images) > 0 {
		// Nothing runs in it, but a build names it.
		wanted[""] = digests[plan.Images[0].Ptype]
	}
	tag, err := e.freeTag(ctx, bo, wanted)
	if err != nil {
		return "", err
	}
	for suffix, digest := range wanted {
		if err := e.opts.Registry.tag(ctx, repository(bo.App), digest, tag+suffix); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s/%s:%s", e.host(), repository(bo.App), tag), nil
}

// freeTag is git-<sha8>, followed by a number when that is taken: the same
// source may make another image, for instance with other build arguments.
func (e *Engine) freeTag(ctx context.Context, bo control.BuildOrder, wanted map[string]string) (string, error) {
	sha := bo.SHA
	if len(sha) > 8 {
		sha = sha[:8]
	}
	first := "git-" + sha
	const most = 1000
	for i := range most {
		tag := first
		switch {
		case i == 0:
		case bo.Release > 0:
			tag = fmt.Sprintf("%s.v%d", first, bo.Release+i-1)
		default:
			tag = fmt.Sprintf("%s.%d", first, i+1)
		}
		free := true
		for suffix, digest := range wanted {
			have, err := e.opts.Registry.digestOf(ctx, repository(bo.App), tag+suffix)
			if err != nil {
				return "", err
			}
			free = free && (have == "" || have == digest)
		}
		if free {
			return tag, nil
		}
	}
	return "", platform.Errorf(platform.Conflict, "%s has been built too often: commit again.", first)
}
