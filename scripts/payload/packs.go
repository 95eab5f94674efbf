package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/slipway-paas/slipway/embedded"
)

// What the images for buildpacks are called, and who builds in them.
const (
	packsRun       = "packs-run"       // what apps run in
	packsLifecycle = "packs-lifecycle" // what sees the registry's password
	packsBuilder   = "packs-builder"   // what builds

	packsUser    = 1000
	packsFolder  = "cnb/"
	packsVersion = "1.0.0" // of the buildpacks, as in their buildpack.toml
	goFolder     = "opt/go/"
	nodeFolder   = "opt/node/"
)

// packsImage is one of the images, with its layers from the bottom up.
type packsImage struct {
	name   string
	layers []string
	labels map[string]string
	env    []string
}

// addPacks makes the images that buildpacks need. They share layers and lie in
// the payload as one OCI layout, which is not staged: the platform's registry
// gets them when they are needed first.
func (b *builder) addPacks(ctx context.Context, e *entry, r recipe, in inputs, scratch, out string) error {
	parts := packsParts{bin: filepath.Join(scratch, "bin"), debian: filepath.Join(scratch, "debian"), home: filepath.Join(b.src, r.Name), version: in.Version}
	layers := map[string][]file{}
	var err error
	if layers["base"], err = baseFiles(parts.debian); err != nil {
		return err
	}
	if layers["go"], err = b.goRuntime(ctx, parts.home); err != nil {
		return err
	}
	if layers["node"], err = b.nodeRuntime(ctx, parts.home, scratch); err != nil {
		return err
	}
	layers["lifecycle"] = parts.lifecycleFiles()
	if layers["packs"], err = parts.buildpackFiles(); err != nil {
		return err
	}
	l := &layout{dir: filepath.Join(out, embedded.PacksDir), arch: b.arch}
	made := map[string]layerBlob{}
	for _, image := range packsImages(in) {
		var stack []layerBlob
		for _, name := range image.layers {
			if _, ok := made[name]; !ok {
				if made[name], err = l.layer(ctx, withParents(layers[name])); err != nil {
					return fmt.Errorf("layer %s: %w", name, err)
				}
			}
			stack = append(stack, made[name])
		}
		ref := registryHost + "/" + image.name + ":" + in.Version
		digest, err := l.image(ref, image.config(), stack)
		if err != nil {
			return err
		}
		e.Packs = append(e.Packs, embedded.Image{Name: image.name, Ref: ref, Digest: digest, Source: in.Source})
	}
	names, err := l.finish()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := e.addMember(out, embedded.PacksDir+"/"+name); err != nil {
			return err
		}
	}
	return nil
}

func packsImages(in inputs) []packsImage {
	labels := func(name string) map[string]string {
		return map[string]string{
			"org.opencontainers.image.title":   name,
			"org.opencontainers.image.version": in.Version,
			"org.opencontainers.image.source":  in.Source,
			"io.buildpacks.base.distro.name":   "debian", "io.buildpacks.base.distro.version": "12",
		}
	}
	user := []string{"PATH=/opt/go/bin:/opt/node/bin:/usr/bin:/bin", "HOME=/home/cnb"}
	build := append([]string{fmt.Sprintf("CNB_USER_ID=%d", packsUser), fmt.Sprintf("CNB_GROUP_ID=%d", packsUser)}, user...)
	builder := packsImage{packsBuilder, []string{"base", "lifecycle", "go", "node", "packs"}, labels(packsBuilder), build}
	builder.labels["io.buildpacks.builder.metadata"] = builderMetadata(in)
	return []packsImage{
		{packsRun, []string{"base"}, labels(packsRun), []string{"PATH=/usr/bin:/bin", "HOME=/home/cnb"}},
		{packsLifecycle, []string{"base", "lifecycle"}, labels(packsLifecycle), build},
		builder,
	}
}

// builderMetadata is what other platforms read to use the builder.
func builderMetadata(in inputs) string {
	type versioned struct {
		ID      string `json:"id"`
		Version string `json:"version"`
	}
	var packs []versioned
	for _, name := range buildpackNames() {
		packs = append(packs, versioned{"slipway/" + name, packsVersion})
	}
	raw, err := json.Marshal(map[string]any{
		"description": "Go, Node.js, static sites and Procfiles, without the internet",
		"buildpacks":  packs,
		"images":      []any{map[string]string{"image": registryHost + "/" + packsRun + ":" + in.Version}},
		"lifecycle":   map[string]any{"version": strings.TrimPrefix(in.Version, "v"), "api": map[string]string{"buildpack": "0.10", "platform": "0.14"}},
	})
	if err != nil {
		return "" // strings and maps of them always can be encoded
	}
	return string(raw)
}

func (i packsImage) config() ociConfig {
	return ociConfig{User: fmt.Sprintf("%d:%d", packsUser, packsUser), WorkingDir: "/", Env: i.env, Labels: i.labels}
}

func buildpackNames() []string { return []string{"go", "nodejs", "static", "procfile"} }

// packsParts is where the parts of our own layers are.
type packsParts struct{ bin, debian, home, version string }

// lifecycleFiles are the lifecycle's programs: one, and a link for each phase.
func (p packsParts) lifecycleFiles() []file {
	folder := packsFolder + "lifecycle/"
	files := []file{
		{name: folder + "lifecycle", mode: 0o755, path: filepath.Join(p.bin, "lifecycle")},
		{name: folder + "launcher", mode: 0o755, path: filepath.Join(p.bin, "launcher")},
		{name: packsFolder + "lifecycle.toml", mode: 0o644, data: fmt.Appendf(nil,
			"[lifecycle]\nversion = %q\n\n[apis.buildpack]\nsupported = [\"0.10\"]\n\n[apis.platform]\nsupported = [\"0.14\"]\n",
			strings.TrimPrefix(p.version, "v"))},
	}
	for _, phase := range strings.Fields("analyzer detector restorer builder exporter creator rebaser extender") {
		files = append(files, file{name: folder + phase, mode: 0o777, link: "lifecycle"})
	}
	return files
}

// buildpackFiles are our buildpacks, in which order they are tried, and the
// image that apps run in.
func (p packsParts) buildpackFiles() ([]file, error) {
	files := []file{
		{name: packsFolder + "slipway/packs", mode: 0o755, path: filepath.Join(p.bin, "packs")},
		{name: packsFolder + "slipway/serve", mode: 0o755, path: filepath.Join(p.bin, "serve")},
		{name: packsFolder + "order.toml", mode: 0o644, path: filepath.Join(p.home, "cnb", "order.toml")},
		{name: packsFolder + "run.toml", mode: 0o644, data: fmt.Appendf(nil, "[[images]]\nimage = %q\n", registryHost+"/"+packsRun+":"+p.version)},
	}
	for _, name := range buildpackNames() {
		folder := packsFolder + "buildpacks/slipway_" + name + "/" + packsVersion + "/"
		description := filepath.Join(p.home, "cnb", name, "buildpack.toml")
		raw, err := os.ReadFile(description)
		if err != nil {
			return nil, err
		}
		if !strings.Contains(string(raw), fmt.Sprintf("version = %q", packsVersion)) {
			return nil, fmt.Errorf("%s: its version is not %s", description, packsVersion)
		}
		files = append(files,
			file{name: folder + "buildpack.toml", mode: 0o644, data: raw},
			file{name: folder + "bin/detect", mode: 0o777, link: "/" + packsFolder + "slipway/packs"},
			file{name: folder + "bin/build", mode: 0o777, link: "/" + packsFolder + "slipway/packs"})
	}
	return files, nil
}
