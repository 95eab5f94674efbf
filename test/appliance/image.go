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
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	binary, err := layer(map[string]file{"probe": {0o755, code}})
	if err != nil {
		return nil, err
	}
	label, err := layer(map[string]file{"version": {0o644, []byte(version)}})
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(base, binary, label)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", architecture()
	config.Config.Entrypoint = []string{"/probe"}
	config.Config.Env = env
	config.Config.User = "10001:10001"
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
