package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	pb "github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	"github.com/pelletier/go-toml/v2"

	"github.com/slipway-paas/slipway/embedded/src/builder/order"
)

// platformAPI is the version of the contract between us and the lifecycle.
const platformAPI = "0.14"

// Where the phases have what they share. Each folder is a mount of its own:
// what a phase only reads it cannot change.
const (
	appDir      = "/workspace"
	layersDir   = "/layers"
	analyzedDir = "/analyzed" // of our own phases: which images are read
	groupDir    = "/group"    // what detect found
	cacheDir    = "/cache"
	outDir      = "/out"
	programsDir = "/cnb/lifecycle"

	// folderDir is where the content of a mount lies in its own file system,
	// whose top always is root's.
	folderDir = "/folder"
)

// noLinks removes links where our phases read files by name: what runs in the
// builder could have them read, and show, what only they may see.
const noLinks = "find " + layersDir + " -maxdepth 2 -type l -exec rm -f {} + && "

// run carries out the phases in their order.
func (p *phases) run(ctx context.Context) (*order.Packed, error) {
	image := p.order.Registry + "/" + p.order.Repository + ":" + packsTag
	analyzed, layers, group := p.folder(), p.folder(), p.folder()
	app := p.folder().File(llb.Copy(
		llb.Local("context", llb.SharedKeyHint(p.nonce), llb.WithCustomName("[internal] source tree")), "/", folderDir,
		&llb.CopyInfo{CopyDirContentsOnly: true, ChownOpt: p.owner()}), llb.WithCustomName("[internal] source tree"))
	skip, clear := "", ""
	if p.order.Packs.ClearCache {
		skip, clear = " -skip-layers", "rm -rf "+cacheDir+"/* && "
	}

	analyze := p.own("analyze", programsDir+"/analyzer -layers "+layersDir+" -analyzed "+analyzedDir+"/analyzed.toml -run-image "+quoted(p.runRef)+skip+" "+quoted(image))
	analyzed = mount(analyze, analyzedDir, analyzed)
	layers = mount(analyze, layersDir, layers)

	detect := p.theirs("detect", programsDir+"/detector -app "+appDir+" -layers "+layersDir+" -analyzed "+analyzedDir+"/analyzed.toml -group "+groupDir+"/group.toml -plan "+groupDir+"/plan.toml")
	mount(detect, analyzedDir, analyzed, llb.Readonly)
	group = mount(detect, groupDir, group)
	layers = mount(detect, layersDir, layers)
	app = mount(detect, appDir, app)

	restore := p.own("restore", clear+noLinks+programsDir+"/restorer -layers "+layersDir+" -analyzed "+analyzedDir+"/analyzed.toml -group "+groupDir+"/group.toml -cache-dir "+cacheDir+skip)
	analyzed = mount(restore, analyzedDir, analyzed)
	mount(restore, groupDir, group, llb.Readonly)
	layers = mount(restore, layersDir, layers)
	p.cache(restore)

	build := p.theirs("build", programsDir+"/builder -app "+appDir+" -layers "+layersDir+" -analyzed "+analyzedDir+"/analyzed.toml -group "+groupDir+"/group.toml -plan "+groupDir+"/plan.toml")
	mount(build, analyzedDir, analyzed, llb.Readonly)
	mount(build, groupDir, group, llb.Readonly)
	layers = mount(build, layersDir, layers)
	app = mount(build, appDir, app)

	export := p.own("export", noLinks+programsDir+"/exporter -app "+appDir+" -layers "+layersDir+" -analyzed "+analyzedDir+"/analyzed.toml -group "+groupDir+"/group.toml -cache-dir "+cacheDir+
		" -report "+outDir+"/report.toml "+quoted(image)+" && cp "+layersDir+"/config/metadata.toml "+outDir+"/")
	mount(export, analyzedDir, analyzed, llb.Readonly)
	mount(export, groupDir, group, llb.Readonly)
	mount(export, layersDir, layers, llb.ForceNoOutput)
	mount(export, appDir, app, llb.Readonly)
	p.cache(export)
	return p.result(ctx, mount(export, outDir, p.folder()))
}

// folder is an empty folder that the phases may write to.
func (p *phases) folder() llb.State {
	return llb.Scratch().File(llb.Mkdir(folderDir, 0o755, *p.owner()), llb.WithCustomName("[internal] folder"))
}

// mount gives a phase a folder, and gives back what becomes of it.
func mount(phase llb.ExecState, dir string, folder llb.State, options ...llb.MountOption) llb.State {
	return phase.AddMount(dir, folder, append(options, llb.SourcePath(folderDir))...)
}

func (p *phases) owner() *llb.ChownOpt {
	return &llb.ChownOpt{User: &llb.UserOpt{UID: p.uid}, Group: &llb.UserOpt{UID: p.gid}}
}

// own is a phase of ours: it may speak to the registry. What it says about
// itself only is left out.
func (p *phases) own(phase, script string) llb.ExecState {
	const quiet = " 2>&1 | { grep -v -e 'Did not find SBOM' -e 'No run metadata found' -e '^Image with name .* not found$' || true; }"
	return p.ours.Run(append(p.common(phase, "/bin/sh", "set -o pipefail; { "+script+"; }"+quiet),
		llb.AddSecret("CNB_REGISTRY_AUTH", llb.SecretID(authSecret), llb.SecretAsEnv(true)),
		llb.AddEnv("CNB_INSECURE_REGISTRIES", p.order.Registry))...)
}

// theirs is a phase in which the builder's and the source's programs run.
func (p *phases) theirs(phase, command string) llb.ExecState {
	options := append(p.common(phase, "/bin/sh", command),
		llb.AddMount(programsDir, p.programs, llb.SourcePath(programsDir), llb.Readonly))
	if phase == "detect" {
		options = append(options, llb.Network(pb.NetMode_NONE))
	}
	for _, name := range slices.Sorted(maps.Keys(p.order.Packs.Env)) {
		options = append(options, llb.AddSecret(path.Join("/platform/env", name), llb.SecretID(envSecret(name)), llb.SecretFileOpt(p.uid, p.gid, 0o400)))
	}
	return p.builder.Run(options...)
}

func (p *phases) common(phase, shell, script string) []llb.RunOption {
	return []llb.RunOption{
		llb.Args([]string{shell, "-c", script + " " + p.mark()}), llb.User(fmt.Sprintf("%d:%d", p.uid, p.gid)), llb.Dir("/"),
		llb.AddEnv("CNB_PLATFORM_API", platformAPI), llb.AddEnv("CNB_USER_ID", strconv.Itoa(p.uid)), llb.AddEnv("CNB_GROUP_ID", strconv.Itoa(p.gid)),
		llb.AddEnv("CNB_NO_COLOR", "true"),
		llb.WithCustomName(phaseStep + phase),
	}
}

// cache gives a phase what earlier builds of the app have kept.
func (p *phases) cache(e llb.ExecState) {
	mount(e, cacheDir, p.folder(), llb.AsPersistentCacheDir("buildpacks-"+p.order.Tenant, llb.CacheMountLocked))
}

// evaluate has all phases run that a state needs.
func (p *phases) evaluate(ctx context.Context, state llb.State) (gateway.Reference, error) {
	definition, err := state.Marshal(ctx)
	if err != nil {
		return nil, err
	}
	result, err := p.gw.Solve(ctx, gateway.SolveRequest{Definition: definition.ToPB(), Evaluate: true})
	if err != nil {
		return nil, err
	}
	return result.SingleRef()
}

// result reads what the exporter says it made.
func (p *phases) result(ctx context.Context, out llb.State) (*order.Packed, error) {
	ref, err := p.evaluate(ctx, out)
	if err != nil {
		return nil, err
	}
	var report struct{ Image struct{ Digest string } }
	if err := readTOML(ctx, ref, "report.toml", &report); err != nil {
		return nil, err
	}
	var metadata struct {
		Processes []struct {
			Type    string
			Command []string
			Args    []string
		}
	}
	if err := readTOML(ctx, ref, "metadata.toml", &metadata); err != nil {
		return nil, err
	}
	if report.Image.Digest == "" {
		return nil, errors.New("buildpacks, export: its report names no digest")
	}
	packed := &order.Packed{Digest: report.Image.Digest, Processes: map[string]string{}}
	for _, process := range metadata.Processes {
		packed.Processes[process.Type] = commandLine(append(process.Command, process.Args...))
	}
	return packed, nil
}

// commandLine is a command as people write it.
func commandLine(words []string) string {
	if len(words) == 3 && path.Base(words[0]) == "bash" && words[1] == "-c" {
		return words[2]
	}
	return strings.Join(words, " ")
}

func readTOML(ctx context.Context, ref gateway.Reference, name string, to any) error {
	const most = 1 << 20
	raw, err := ref.ReadFile(ctx, gateway.ReadRequest{Filename: folderDir + "/" + name, Range: &gateway.FileRange{Length: most}})
	if err == nil {
		err = toml.Unmarshal(raw, to)
	}
	if err != nil {
		return fmt.Errorf("buildpacks, export: %s: %w", name, err)
	}
	return nil
}

// resolver reads images' configurations without a line in the log.
type resolver struct{ gateway.Client }

func (r resolver) ResolveImageConfig(ctx context.Context, ref string, o sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	o.LogName = "[internal] reading " + ref
	return r.Client.ResolveImageConfig(ctx, ref, o)
}

func number(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return otherwise
}

// quoted makes a reference one word of a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
