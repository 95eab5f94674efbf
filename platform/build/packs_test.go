package build

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

// packsLayout is an OCI layout with the three images, of random layers.
func packsLayout(t *testing.T) fstest.MapFS {
	t.Helper()
	layout := fstest.MapFS{}
	var manifests []map[string]any
	for _, repository := range []string{packsRun, packsLifecycle, packsBuilder} {
		image, err := random.Image(16, 2)
		require.NoError(t, err)
		digest, err := image.Digest()
		require.NoError(t, err)
		raw, err := image.RawManifest()
		require.NoError(t, err)
		layout[blobPath(digest)] = &fstest.MapFile{Data: raw}
		manifest, err := image.Manifest()
		require.NoError(t, err)
		config, err := image.RawConfigFile()
		require.NoError(t, err)
		layout[blobPath(manifest.Config.Digest)] = &fstest.MapFile{Data: config}
		layers, err := image.Layers()
		require.NoError(t, err)
		for i, layer := range layers {
			content, err := layer.Compressed()
			require.NoError(t, err)
			raw := make([]byte, manifest.Layers[i].Size)
			_, err = io.ReadFull(content, raw)
			require.NoError(t, err)
			layout[blobPath(manifest.Layers[i].Digest)] = &fstest.MapFile{Data: raw}
		}
		manifests = append(manifests, map[string]any{"mediaType": manifest.MediaType, "digest": digest.String(), "size": len(raw),
			"annotations": map[string]string{"io.containerd.image.name": repository + ":v1"}})
	}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": manifests})
	require.NoError(t, err)
	layout["index.json"] = &fstest.MapFile{Data: index}
	return layout
}

// newPacksDesk is a desk whose Engine has buildpacks.
func newPacksDesk(t *testing.T, files map[string]string, change func(*PacksOptions)) (*desk, *int) {
	opened := 0
	layout := packsLayout(t)
	return newDesk(t, files, func(o *Options) {
		p := PacksOptions{Pod: o.Pod, Registry: o.Registry, Layout: func() (fs.FS, error) { opened++; return layout, nil }}
		change(&p)
		o.Packer = NewPacks(p)
	}), &opened
}

func answersPacked(d *desk) func(order, func(string)) {
	return func(o order, say func(string)) {
		say(fmt.Sprintf(`{"done":{"digests":{},"packed":{"digest":%q,"processes":{"web":"hello"}}}}`, d.push(o.Repository, "web")))
	}
}

// TestPacks: the images are in the registry before the builder is asked, once;
// what it answers is named and becomes the Procfile.
func TestPacks(t *testing.T) {
	t.Parallel()
	d, opened := newPacksDesk(t, map[string]string{"go.mod": "module m"}, func(*PacksOptions) {})
	d.pod.answer = answersPacked(d)
	config := map[string]string{"DRYCC_STACK": "buildpack", "GOPROXY": "http://proxy"}
	n, _, err := d.run(t.Context(), config)
	require.NoError(t, err)
	assert.Equal(t, "registry.example.com/web/web:git-01234567", n.Image)
	assert.Equal(t, Buildpack, n.Stack)
	assert.Equal(t, map[string]string{"web": "hello"}, n.Procfile)

	o := d.pod.orders[0].Packs
	require.NotNil(t, o)
	address := d.engine.opts.Registry.Address
	for ref, repository := range map[string]string{o.Builder: packsBuilder, o.Lifecycle: packsLifecycle, o.Run: packsRun} {
		assert.True(t, strings.HasPrefix(ref, address+"/"+repository+"@sha256:"), ref)
		digest, err := d.engine.opts.Registry.digestOf(t.Context(), repository, "v1")
		require.NoError(t, err)
		assert.True(t, strings.HasSuffix(ref, "@"+digest), "%s is not %s", ref, digest)
	}
	assert.Equal(t, "http://proxy", o.Env["GOPROXY"])

	_, _, err = d.run(t.Context(), config)
	require.NoError(t, err)
	assert.Equal(t, 1, *opened)
}

// TestPacksOtherBuilder: the source's builder goes before the operator's; what
// apps run in is then for that builder to say.
func TestPacksOtherBuilder(t *testing.T) {
	t.Parallel()
	for want, files := range map[string]map[string]string{
		"example.com/ours:1":   {"Procfile": "web: x"},
		"example.com/theirs:2": {"Procfile": "web: x", ".pack-builder": "example.com/theirs:2\n"},
	} {
		d, _ := newPacksDesk(t, files, func(o *PacksOptions) { o.Builder = "example.com/ours:1" })
		d.pod.answer = answersPacked(d)
		_, _, err := d.run(t.Context(), nil)
		require.NoError(t, err)
		o := d.pod.orders[0].Packs
		assert.Equal(t, want, o.Builder)
		assert.Empty(t, o.Run)
		assert.Contains(t, o.Lifecycle, packsLifecycle)
	}
}

func TestPacksFail(t *testing.T) {
	t.Parallel()
	d, _ := newPacksDesk(t, map[string]string{"Procfile": "web: x"}, func(*PacksOptions) {})
	d.pod.answer = func(_ order, say func(string)) {
		say(`{"failed":{"fault":"source","message":"No buildpack fits."}}`)
	}
	_, _, err := d.run(t.Context(), nil)
	assert.Equal(t, platform.Invalid, platform.CodeOf(err))
	d.pod.answer = func(_ order, say func(string)) { say(`{"done":{"digests":{}}}`) }
	_, _, err = d.run(t.Context(), nil)
	assert.Equal(t, platform.Unavailable, platform.CodeOf(err))
}
