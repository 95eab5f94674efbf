package build

import (
	"archive/tar"
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

// tarOf is a source tree with these files.
func tarOf(t *testing.T, files map[string]string) func() (io.ReadCloser, error) {
	var headers []tar.Header
	var contents []string
	for name, content := range files {
		headers = append(headers, tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content))})
		contents = append(contents, content)
	}
	return opener(t, headers, contents)
}

func opener(t *testing.T, headers []tar.Header, contents []string) func() (io.ReadCloser, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := range headers {
		require.NoError(t, w.WriteHeader(&headers[i]))
		if i < len(contents) {
			_, err := io.WriteString(w, contents[i])
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
}

const anyDockerfile = "FROM busybox\n"

func TestStack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		files  map[string]string
		wanted string
		stack  string
		fails  string
		note   string
	}{
		{name: "Dockerfile", files: map[string]string{"Dockerfile": anyDockerfile}, stack: Container},
		{name: "Procfile", files: map[string]string{"Procfile": "web: run"}, stack: Buildpack},
		{name: "project.toml", files: map[string]string{"project.toml": ""}, stack: Buildpack},
		{name: "both", files: map[string]string{"Dockerfile": anyDockerfile, "Procfile": "web: run"}, stack: Container},
		{name: "both, buildpack wanted", files: map[string]string{"Dockerfile": anyDockerfile, "Procfile": "web: run"}, wanted: Buildpack, stack: Buildpack},
		{name: "container wanted without Dockerfile", files: map[string]string{"Procfile": "web: run"}, wanted: Container, fails: "There is no Dockerfile"},
		{name: "nothing", files: map[string]string{"index.html": ""}, stack: Buildpack},
		{name: "pipelines only", files: map[string]string{".drycc/web.yaml": "kind: pipeline\nptype: web\ndeploy: {}\n"}, fails: "There is no Dockerfile"},
		{name: "nothing, buildpack wanted", files: map[string]string{"index.html": ""}, wanted: Buildpack, stack: Buildpack},
		{name: "unknown stack", files: map[string]string{"Procfile": "web: run"}, wanted: "heroku-22", stack: Buildpack, note: "neither container nor buildpack"},
		{name: "Dockerfile below", files: map[string]string{"a/Dockerfile": anyDockerfile, "Procfile": "web: run"}, stack: Buildpack},
		{name: "empty Dockerfile", files: map[string]string{"Dockerfile": " \n"}, fails: "Dockerfile is empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := MakePlan(tarOf(t, tt.files), map[string]string{"DRYCC_STACK": tt.wanted}, Limits{})
			if tt.fails != "" {
				require.ErrorContains(t, err, tt.fails)
				require.Equal(t, platform.Invalid, platform.CodeOf(err))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.stack, p.Stack)
			assert.Equal(t, tt.stack == Buildpack, p.Pack != nil)
			assert.Equal(t, tt.stack == Container, p.Dockerfile != "")
			if tt.note != "" {
				require.Len(t, p.Notes, 1)
				assert.Contains(t, p.Notes[0], tt.note)
			}
		})
	}
}

func TestPlanOfPipelines(t *testing.T) {
	t.Parallel()
	web := "kind: pipeline\nptype: web\nbuild:\n  docker: Dockerfile\n  arg:\n    CODENAME: bookworm\nenv:\n  VERSION: 1.2.1\nrun:\n  command:\n  - ./tasks.sh\n  image: task\n  timeout: 100\nconfig:\n- jvm-config\ndeploy:\n  command:\n  - bash\n  - -ec\n  args:\n  - bundle exec puma\n"
	task := "kind: pipeline\nptype: task\nbuild:\n  docker: tools/Dockerfile\ndeploy: {}\n"
	p, err := MakePlan(tarOf(t, map[string]string{
		"Dockerfile": anyDockerfile, "tools/Dockerfile": "FROM scratch\n",
		".drycc/web.yaml": web, ".drycc/task.yml": task, ".drycc/README": "no pipeline",
		".drycc/config/jvm-config": "# options\nJVM_OPTIONS=-XX:+UseG1GC\nexport DEBUG=\"a b\"\n",
		".build-arg":               "CODENAME=buster\nOTHER=1\n",
	}), nil, Limits{})
	require.NoError(t, err)
	assert.ElementsMatch(t, []Image{
		{Ptype: "web", Dockerfile: "Dockerfile", Args: map[string]string{"CODENAME": "bookworm", "OTHER": "1"}},
		{Ptype: "task", Dockerfile: "tools/Dockerfile", Args: map[string]string{"CODENAME": "buster", "OTHER": "1"}},
	}, p.Images)
	assert.Equal(t, anyDockerfile, p.Dockerfile)
	assert.JSONEq(t, `{"config":{"jvm-config":{"DEBUG":"a b","JVM_OPTIONS":"-XX:+UseG1GC"}},"pipeline":{
		"web.yaml":{"kind":"pipeline","ptype":"web","build":{"docker":"Dockerfile","arg":{"CODENAME":"bookworm"}},"env":{"VERSION":"1.2.1"},
			"run":{"command":["./tasks.sh"],"image":"task","timeout":100},"config":["jvm-config"],
			"deploy":{"command":["bash","-ec"],"args":["bundle exec puma"]}},
		"task.yml":{"kind":"pipeline","ptype":"task","build":{"docker":"tools/Dockerfile"},"deploy":{}}}}`, string(p.Dryccfile))
	d, err := platform.ParseDryccfile(p.Dryccfile)
	require.NoError(t, err)
	require.Len(t, d.Pipelines, 2)
}

func TestPlanOfDrycc(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		files  map[string]string
		images int
		fails  string
	}{
		{name: "config alone is no build", files: map[string]string{".drycc/config/global": "A=1\n", "Dockerfile": anyDockerfile}, images: 1},
		{name: "main image beside a worker's", files: map[string]string{"Dockerfile": anyDockerfile, "w": anyDockerfile,
			".drycc/w.yaml": "kind: pipeline\nptype: worker\nbuild: {docker: w}\ndeploy: {}\n"}, images: 2},
		{name: "no main image needed", files: map[string]string{"w": anyDockerfile,
			".drycc/w.yaml": "kind: pipeline\nptype: worker\nbuild: {docker: w}\ndeploy: {}\n"}, images: 1},
		{name: "main image needed", files: map[string]string{"w": anyDockerfile,
			".drycc/w.yaml": "kind: pipeline\nptype: worker\nbuild: {docker: w}\ndeploy: {}\n",
			".drycc/x.yaml": "kind: pipeline\nptype: other\ndeploy: {}\n"}, fails: "There is no Dockerfile"},
		{name: "Dockerfile missing", files: map[string]string{"Dockerfile": anyDockerfile,
			".drycc/w.yaml": "kind: pipeline\nptype: worker\nbuild: {docker: no/Dockerfile}\ndeploy: {}\n"}, fails: `.drycc/w.yaml builds with "no/Dockerfile", which is not in the source tree`},
		{name: "Dockerfile outside", files: map[string]string{"Dockerfile": anyDockerfile,
			".drycc/w.yaml": "kind: pipeline\nptype: worker\nbuild: {docker: ../../etc/passwd}\ndeploy: {}\n"}, fails: "not in the source tree"},
		{name: "unknown key", files: map[string]string{"Dockerfile": anyDockerfile,
			".drycc/w.yaml": "kind: pipeline\nptype: worker\nbuilds: {}\ndeploy: {}\n"}, fails: `.drycc/w.yaml: unknown field "builds"`},
		{name: "no deploy", files: map[string]string{"Dockerfile": anyDockerfile,
			".drycc/w.yaml": "kind: pipeline\nptype: worker\n"}, fails: "deploy is required"},
		{name: "broken YAML", files: map[string]string{"Dockerfile": anyDockerfile, ".drycc/w.yaml": "kind: [\n"}, fails: ".drycc/w.yaml: "},
		{name: "broken variables", files: map[string]string{"Dockerfile": anyDockerfile,
			".drycc/w.yaml":        "kind: pipeline\nptype: web\ndeploy: {}\n",
			".drycc/config/global": "A=1\nno line\n"}, fails: ".drycc/config/global, line 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := MakePlan(tarOf(t, tt.files), nil, Limits{})
			if tt.fails != "" {
				require.ErrorContains(t, err, tt.fails)
				require.Equal(t, platform.Invalid, platform.CodeOf(err))
				return
			}
			require.NoError(t, err)
			assert.Len(t, p.Images, tt.images)
		})
	}
}

func TestProcfile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       map[string]string
		fails      string
	}{
		{"the guide's", "web: bundle exec ruby web.rb -p ${PORT:-5000}\nsleeper: sleep 900\n",
			map[string]string{"web": "bundle exec ruby web.rb -p ${PORT:-5000}", "sleeper": "sleep 900"}, ""},
		{"what YAML can't read", "web: run --label a: b\n# comment\n\nworker: echo \"x\"; sleep 1\n",
			map[string]string{"web": "run --label a: b", "worker": `echo "x"; sleep 1`}, ""},
		{"Windows lines", "web: run\r\n", map[string]string{"web": "run"}, ""},
		{"empty", "", nil, ""},
		{"no command", "web:\n", nil, "Command can't be empty"},
		{"no process type", "run this\n", nil, "line 1"},
		{"twice", "web: a\nweb: b\n", nil, "web is there twice"},
		{"bad name", "we_b!: a\n", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseProcfile([]byte(tt.text))
			if tt.fails != "" || tt.name == "bad name" {
				require.ErrorContains(t, err, tt.fails)
				require.Equal(t, platform.Invalid, platform.CodeOf(err))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestBuildArguments(t *testing.T) {
	t.Parallel()
	files := map[string]string{"Dockerfile": anyDockerfile, ".build-arg": "B=file\n"}
	config := map[string]string{"A": "1", "B": "config", "SSH_KEY": "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----"}
	args := func(enabled string) map[string]string {
		config["DRYCC_DOCKER_BUILD_ARGS_ENABLED"] = enabled
		p, err := MakePlan(tarOf(t, files), config, Limits{})
		require.NoError(t, err)
		require.Contains(t, p.SSHKey, "PRIVATE KEY")
		return p.Images[0].Args
	}
	assert.Equal(t, map[string]string{"B": "file"}, args(""))
	assert.Equal(t, map[string]string{"B": "file"}, args("0"))
	assert.Equal(t, map[string]string{"A": "1", "B": "file", "DRYCC_DOCKER_BUILD_ARGS_ENABLED": "1"}, args("1"))
}

func TestSwitches(t *testing.T) {
	t.Parallel()
	files := map[string]string{"Procfile": "web: run", ".pack-builder": "# mine\nregistry.example.com/builder:1\n", ".clear-cache": ""}
	p, err := MakePlan(tarOf(t, files), map[string]string{"DRYCC_DISABLE_CACHE": "1", "A": "b"}, Limits{})
	require.NoError(t, err)
	assert.True(t, p.NoCache)
	assert.Equal(t, &Pack{Builder: "registry.example.com/builder:1", ClearCache: true,
		Env: map[string]string{"A": "b", "DRYCC_DISABLE_CACHE": "1"}}, p.Pack)

	_, err = MakePlan(tarOf(t, files), map[string]string{"SSH_KEY": "/home/user/.ssh/id_rsa"}, Limits{})
	require.ErrorContains(t, err, "SSH_KEY in the app's config is no private key")
}
