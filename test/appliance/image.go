package appliance

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// BuildProbe compiles the probe app as a static program into dir and returns
// its path.
func BuildProbe(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "probe")
	cmd := exec.CommandContext(ctx, "go", "build", "-ldflags", "-s -w", "-o", path, "github.com/slipway-paas/slipway/test/appliance/probe")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compile the probe app: %w\n%s", err, out)
	}
	return path, nil
}

// ProbeImage puts the compiled probe into an image of its own, which answers
// with the version. With env the image misbehaves from the start.
func ProbeImage(program, version string, env ...string) (v1.Image, error) {
	code, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	// Two layers, as a builder makes them: versions share the large one.
	return image([]string{"/probe"}, func(c *v1.Config) { c.Env, c.User = env, "10001:10001" },
		map[string]file{"probe": {0o755, code}}, map[string]file{"version": {0o644, []byte(version)}})
}

// ProgramImage is an image of one static program and nothing else, run as root
// without arguments.
func ProgramImage(program string) (v1.Image, error) {
	code, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	return image([]string{"/program"}, func(*v1.Config) {}, map[string]file{"program": {0o755, code}})
}

// image makes an image for this machine's architecture, one layer for each of
// the folders.
func image(entrypoint []string, configure func(*v1.Config), folders ...map[string]file) (v1.Image, error) {
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	var layers []v1.Layer
	for _, files := range folders {
		l, err := layer(files)
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	image, err := mutate.AppendLayers(base, layers...)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", architecture()
	config.Config.Entrypoint = entrypoint
	configure(&config.Config)
	return mutate.ConfigFile(image, config)
}

type file struct {
	mode    int64
	content []byte
}

// layer packs files below the root of an image.
func layer(files map[string]file) (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: f.mode, Size: int64(len(f.content)), Typeflag: tar.TypeReg}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return static.NewLayer(b.Bytes(), types.OCIUncompressedLayer), nil
}

// Load gives an image to the machine's containerd under a name: pods of that
// name then need no registry.
func (m *Machine) Load(ctx context.Context, image v1.Image, ref string) error {
	tag, err := name.NewTag(ref)
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	if err := tarball.Write(tag, image, &archive); err != nil {
		return fmt.Errorf("pack image %s: %w", ref, err)
	}
	cmd := m.Command(ctx, nil, "/var/lib/slipway/bin/ctr", "--namespace", "k8s.io", "images", "import", "-")
	cmd.Stdin = &archive
	r, err := Capture(cmd)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("ctr: exit %d: %s", r.Code, lastLines(r.Stderr, 5))
	}
	if err != nil {
		return fmt.Errorf("load image %s: %w", ref, err)
	}
	return nil
}

// Push pushes an image to the platform's registry through its gateway, as any
// client does, and returns its reference.
func (m *Machine) Push(ctx context.Context, client *http.Client, image v1.Image, repository, tag, username, password string) (string, error) {
	ref, err := name.NewTag("registry." + m.Domain + "/" + repository + ":" + tag)
	if err != nil {
		return "", err
	}
	err = remote.Write(ref, image, remote.WithContext(ctx), remote.WithTransport(client.Transport),
		remote.WithAuth(&authn.Basic{Username: username, Password: password}))
	if err != nil {
		return "", fmt.Errorf("push %s: %w", ref, err)
	}
	return ref.Name(), nil
}
