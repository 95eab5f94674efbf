package build

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// fakePod answers orders as the builder would.
type fakePod struct {
	t      *testing.T
	answer func(o order, say func(line string)) // nil: waits until its input ends
	orders []order
	source []byte
	err    error
	hungUp bool
}

func (p *fakePod) Exec(ctx context.Context, command []string, stdin io.Reader, stdout io.Writer) error {
	require.Equal(p.t, []string{"/usr/bin/solve"}, command)
	if p.err != nil {
		return p.err
	}
	in := bufio.NewReader(stdin)
	header, err := in.ReadBytes('\n')
	require.NoError(p.t, err)
	var o order
	require.NoError(p.t, json.Unmarshal(header, &o))
	p.orders = append(p.orders, o)
	p.source = make([]byte, o.TarBytes)
	_, err = io.ReadFull(in, p.source)
	require.NoError(p.t, err)
	if p.answer != nil {
		p.answer(o, func(line string) { fmt.Fprintln(stdout, line) })
	}
	_, err = in.ReadByte()
	require.ErrorIs(p.t, err, io.EOF, "the input ends when the answer was read or nobody waits")
	p.hungUp = true
	return ctx.Err()
}

// desk is an Engine with a real registry and a fake pod.
type desk struct {
	*testing.T
	pod    *fakePod
	engine *Engine
	tar    string
	images map[string]v1.Image // pushed without a tag by the fake builder
}

func newDesk(t *testing.T, files map[string]string, change ...func(*Options)) *desk {
	server := httptest.NewServer(registry.New())
	t.Cleanup(server.Close)
	d := &desk{T: t, pod: &fakePod{t: t}, images: map[string]v1.Image{}}
	o := Options{Pod: d.pod, Domain: "example.com", Registry: Registry{
		Address: strings.TrimPrefix(server.URL, "http://"), Username: "builder", Password: "s3cret",
	}}
	for _, c := range change {
		c(&o)
	}
	d.engine = New(o)
	r, err := tarOf(t, files)()
	require.NoError(t, err)
	raw, err := io.ReadAll(r)
	require.NoError(t, err)
	d.tar = filepath.Join(t.TempDir(), "source.tar")
	require.NoError(t, os.WriteFile(d.tar, raw, 0o600))
	d.pod.answer = d.build
	return d
}

// build pushes an image for each that is asked for.
func (d *desk) build(o order, say func(string)) {
	say(`{"log":"---> [1/1] FROM busybox"}`)
	digests := map[string]string{}
	for _, i := range o.Images {
		digests[i.Ptype] = d.push(o.Repository, i.Ptype)
	}
	raw, err := json.Marshal(map[string]any{"done": map[string]any{"digests": digests}})
	require.NoError(d, err)
	say(string(raw))
}

func (d *desk) push(repository, ptype string) string {
	if d.images[ptype] == nil {
		image, err := random.Image(16, 1)
		require.NoError(d, err)
		d.images[ptype] = image
	}
	digest, err := d.images[ptype].Digest()
	require.NoError(d, err)
	repo, err := name.NewRepository(d.engine.opts.Registry.Address+"/"+repository, name.Insecure)
	require.NoError(d, err)
	require.NoError(d, remote.Write(repo.Digest(digest.String()), d.images[ptype]))
	return digest.String()
}

func (d *desk) run(ctx context.Context, config map[string]string) (control.NewBuild, string, error) {
	var log strings.Builder
	n, err := d.engine.Build(ctx, control.BuildOrder{
		ID: "1", App: platform.App{ID: "web", UUID: "0f8fad5b-d9cb-469f-a165-70867728950e"},
		SHA: "0123456789abcdef0123456789abcdef01234567", Tar: d.tar, Config: config, Release: 7,
	}, &log)
	return n, log.String(), err
}

func TestBuild(t *testing.T) {
	t.Parallel()
	d := newDesk(t, map[string]string{
		"Dockerfile": anyDockerfile, "w/Dockerfile": anyDockerfile, "Procfile": "web: run",
		".drycc/w.yaml": "kind: pipeline\nptype: worker\nbuild: {docker: w/Dockerfile}\ndeploy: {}\n",
	})
	n, log, err := d.run(t.Context(), map[string]string{"DRYCC_DISABLE_CACHE": "1"})
	require.NoError(t, err)
	assert.Equal(t, "registry.example.com/web/web:git-01234567", n.Image)
	assert.Equal(t, Container, n.Stack)
	assert.Equal(t, anyDockerfile, n.Dockerfile)
	assert.Equal(t, map[string]string{"web": "run"}, n.Procfile)
	assert.NotEmpty(t, n.Dryccfile)
	assert.Equal(t, "---> [1/1] FROM busybox\n", log)

	o := d.pod.orders[0]
	assert.Equal(t, "web-0f8fad5b", o.Tenant)
	assert.Equal(t, []string{"registry.example.com"}, o.Aliases)
	assert.Equal(t, "web/web", o.Repository)
	assert.True(t, o.NoCache)
	raw, err := os.ReadFile(d.tar)
	require.NoError(t, err)
	assert.Equal(t, raw, d.pod.source)

	for tag, ptype := range map[string]string{"git-01234567": "web", "git-01234567-worker": "worker"} {
		got, err := d.engine.opts.Registry.digestOf(t.Context(), "web/web", tag)
		require.NoError(t, err)
		want, err := d.images[ptype].Digest()
		require.NoError(t, err)
		assert.Equal(t, want.String(), got, tag)
	}
}

// A release pulls by the name of its image: another image of the same commit
// gets another one.
func TestNamesStay(t *testing.T) {
	t.Parallel()
	d := newDesk(t, map[string]string{"Dockerfile": anyDockerfile})
	names := func() string {
		n, _, err := d.run(t.Context(), nil)
		require.NoError(t, err)
		return strings.TrimPrefix(n.Image, "registry.example.com/web/web:")
	}
	assert.Equal(t, "git-01234567", names())
	assert.Equal(t, "git-01234567", names(), "the same image")
	d.images = map[string]v1.Image{}
	assert.Equal(t, "git-01234567.v7", names())
	assert.Equal(t, "git-01234567.v7", names())
	d.images = map[string]v1.Image{}
	assert.Equal(t, "git-01234567.v8", names())
}

func TestBuildFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, line string
		err        error
		code       platform.Code
		want       string
	}{
		{"a step", `{"failed":{"fault":"source","message":"The step failed."}}`, nil, platform.Invalid, "The step failed."},
		{"the disk", `{"failed":{"fault":"disk","message":"The disk is full."}}`, nil, platform.Unavailable, "The disk is full."},
		{"the builder", `{"failed":{"fault":"builder","message":"dial unix: 10.0.0.1"}}`, nil, platform.Unavailable, "no fault of the source"},
		{"no sense", `buildkitd: panic`, nil, platform.Internal, "no event"},
		{"an image is missing", `{"done":{"digests":{}}}`, nil, platform.Unavailable, "no fault of the source"},
		{"no pod", "", platform.Errorf(platform.Unavailable, "The builder is not running."), platform.Unavailable, "The builder is not running."},
		{"the connection", "", io.ErrUnexpectedEOF, platform.Unavailable, "no fault of the source"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, map[string]string{"Dockerfile": anyDockerfile})
			d.pod.err = tt.err
			d.pod.answer = func(_ order, say func(string)) { say(tt.line) }
			_, _, err := d.run(t.Context(), nil)
			require.ErrorContains(t, err, tt.want)
			assert.Equal(t, tt.code, platform.CodeOf(err))
			tag, err := d.engine.opts.Registry.digestOf(t.Context(), "web/web", "git-01234567")
			require.NoError(t, err)
			assert.Empty(t, tag, "nothing is named")
		})
	}
}

// The builder sees its input end when nobody waits any more.
func TestCancelHangsUp(t *testing.T) {
	t.Parallel()
	d := newDesk(t, map[string]string{"Dockerfile": anyDockerfile})
	ctx, cancel := context.WithCancel(t.Context())
	d.pod.answer = func(order, func(string)) { cancel() }
	_, _, err := d.run(ctx, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, d.pod.hungUp)
}

func TestNoBuildpacks(t *testing.T) {
	t.Parallel()
	d := newDesk(t, map[string]string{"Procfile": "web: run"})
	_, _, err := d.run(t.Context(), nil)
	require.ErrorContains(t, err, "This platform has no buildpacks")
}

// packer is a Packer that pushes an image.
type packer struct {
	d     *desk
	order PackOrder
}

func (p *packer) Pack(_ context.Context, o PackOrder, _ string, _ io.Writer) (PackResult, error) {
	p.order = o
	return PackResult{Digest: p.d.push(o.Repository, "web"), Processes: map[string]string{"web": "found"}}, nil
}

func TestPack(t *testing.T) {
	t.Parallel()
	p := &packer{}
	d := newDesk(t, map[string]string{"project.toml": ""}, func(o *Options) { o.Packer = p })
	p.d = d
	n, _, err := d.run(t.Context(), map[string]string{"A": "b"})
	require.NoError(t, err)
	assert.Equal(t, Buildpack, n.Stack)
	assert.Empty(t, n.Dockerfile)
	assert.Equal(t, map[string]string{"web": "found"}, n.Procfile)
	assert.Equal(t, map[string]string{"A": "b"}, p.order.Plan.Pack.Env)
	assert.Equal(t, "registry.example.com/web/web:git-01234567", n.Image)
}

// layoutOf is an image as the payload has it.
func layoutOf(t *testing.T, image v1.Image) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	write := func(name string, raw []byte) {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(raw))}))
		_, err := w.Write(raw)
		require.NoError(t, err)
	}
	blob := func(h v1.Hash, raw []byte) { write("blobs/"+h.Algorithm+"/"+h.Hex, raw) }
	manifest, err := image.RawManifest()
	require.NoError(t, err)
	digest, err := image.Digest()
	require.NoError(t, err)
	blob(digest, manifest)
	config, err := image.RawConfigFile()
	require.NoError(t, err)
	name, err := image.ConfigName()
	require.NoError(t, err)
	blob(name, config)
	layers, err := image.Layers()
	require.NoError(t, err)
	for _, l := range layers {
		h, err := l.Digest()
		require.NoError(t, err)
		r, err := l.Compressed()
		require.NoError(t, err)
		raw, err := io.ReadAll(r)
		require.NoError(t, err)
		blob(h, raw)
	}
	kind, err := image.MediaType()
	require.NoError(t, err)
	index, err := json.Marshal(v1.IndexManifest{SchemaVersion: 2, Manifests: []v1.Descriptor{{MediaType: kind, Digest: digest, Size: int64(len(manifest))}}})
	require.NoError(t, err)
	write("index.json", index)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// Carried base images are in the registry before the first build, pushed once.
func TestCarriedImages(t *testing.T) {
	t.Parallel()
	image, err := random.Image(16, 1)
	require.NoError(t, err)
	asked := 0
	d := newDesk(t, map[string]string{"Dockerfile": anyDockerfile}, func(o *Options) {
		o.Carried = func() (map[string][]byte, error) {
			asked++
			return map[string][]byte{"docker.io/library/busybox:latest": layoutOf(t, image)}, nil
		}
	})
	for range 2 {
		_, _, err = d.run(t.Context(), nil)
		require.NoError(t, err)
	}
	want, err := image.Digest()
	require.NoError(t, err)
	got, err := d.engine.opts.Registry.digestOf(t.Context(), "docker.io/library/busybox", "latest")
	require.NoError(t, err)
	assert.Equal(t, want.String(), got)
	assert.Equal(t, 1, asked)
}

// The builder's own copy of these shapes reads the same file.
func TestOrderIsWhatTheBuilderReads(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/order.json")
	require.NoError(t, err)
	var o order
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&o))
	again, err := json.Marshal(o)
	require.NoError(t, err)
	require.JSONEq(t, string(raw), string(again))
}
