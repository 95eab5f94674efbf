package gitssh_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

func TestPush(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	c := d.client("alice", app)
	binary := random(3000) + "\x00\r\n"
	c.write("bin/data", binary)
	require.NoError(t, os.Symlink("data", filepath.Join(c.dir, "bin", "link")))
	c.commit("Procfile", "web: ./web\n")
	out := c.must("push", "drycc", "main")
	require.Contains(t, out, "remote: ---> Starting build... but first, coffee!")
	require.Contains(t, out, "remote: ---> Done, hello:v2 deployed to Workflow")
	head := c.must("rev-parse", "HEAD")
	require.Equal(t, head, d.at(app, "refs/heads/main"))
	orders := d.verbs.pushed()
	require.Len(t, orders, 1)
	o := orders[0]
	require.Equal(t, []string{"alice", app, platform.OriginGit, "refs/heads/main", head}, []string{o.user, o.app, o.Origin, o.Ref, o.SHA})
	require.Equal(t, map[string]string{
		"Dockerfile": "FROM scratch\n", "Procfile": "web: ./web\n", "bin/": "/", "bin/data": binary, "bin/link": "→data",
	}, o.files)
	require.NoFileExists(t, o.Tar, "the tree is gone after the build")

	// The same again moves nothing and builds nothing.
	require.Contains(t, c.must("push", "drycc", "main"), "Everything up-to-date")
	// An empty commit is the way to build again.
	c.must("commit", "--allow-empty", "-q", "-m", "again")
	c.must("push", "drycc", "main")
	require.Len(t, d.verbs.pushed(), 2)
}

// A push whose build fails leaves what was there, also in the repository.
func TestFailedBuildIsRefused(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	c := d.client("alice", app)
	c.must("push", "drycc", "main")
	served := d.at(app, "refs/heads/main")
	c.commit("Dockerfile", "FORM scratch\n")
	d.verbs.onBuild(func(_ context.Context, _ order, log io.Writer) (platform.Release, error) {
		_, _ = io.WriteString(log, "\x1b[31mDockerfile:1\x1b[0m unknown instruction: FORM\r\n50%\r100%\nno break at the end")
		return platform.Release{}, platform.Errorf(platform.Invalid, "The build failed in the step FORM.")
	})
	out := c.refused("pre-receive hook declined", "push", "drycc", "main")
	require.Contains(t, out, "remote: Dockerfile:1 unknown instruction: FORM")
	require.Contains(t, out, "remote: 100%")
	require.NotContains(t, out, "50%")
	require.Contains(t, out, "remote: no break at the end---> Build failed: The build failed in the step FORM.")
	require.Equal(t, 1, strings.Count(out, "in the step FORM"), "said once")
	require.Equal(t, served, d.at(app, "refs/heads/main"))

	// What is refused before there is a log is told by the door.
	c.refused("remote: ---> this platform has no builder", "push", "drycc", "main:"+silent)

	// Nor does a release that does not come up move the branch.
	d.verbs.onBuild(func(context.Context, order, io.Writer) (platform.Release, error) {
		return platform.Release{Version: 7, State: platform.ReleaseCrashed, Exception: "x"}, nil
	})
	c.refused("v7 does not run, so refs/heads/main is refused.", "push", "drycc", "main")
	require.Equal(t, served, d.at(app, "refs/heads/main"))

	d.verbs.onBuild(nil)
	c.must("push", "drycc", "main")
	require.Equal(t, c.must("rev-parse", "HEAD"), d.at(app, "refs/heads/main"))
}

func TestBranchesTagsAndDeletes(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	c := d.client("alice", app)
	c.must("push", "drycc", "main")
	first := c.must("rev-parse", "HEAD")

	// A second branch is deployed like the first.
	c.must("checkout", "-q", "-b", "feature/x")
	c.commit("feature", "x")
	c.must("push", "drycc", "feature/x")
	require.Equal(t, "refs/heads/feature/x", d.verbs.pushed()[1].Ref)
	require.Equal(t, "feature/x", c.must("ls-remote", "--symref", "drycc", "HEAD")[len("ref: refs/heads/"):][:9])

	// The branch that runs stays; the other may go.
	c.refused("The branch feature/x is what runs", "push", "drycc", "--delete", "feature/x")
	require.Contains(t, c.must("push", "drycc", "--delete", "main"), "Deleting the branch main; what runs stays.")
	require.Empty(t, d.at(app, "refs/heads/main"))
	c.refused("feature can't be beside the branch feature/x", "push", "drycc", "main:refs/heads/feature")

	// History may be written anew, when it is said.
	c.must("commit", "--amend", "-q", "-m", "other words")
	c.refused("non-fast-forward", "push", "drycc", "feature/x")
	c.must("push", "--force", "drycc", "feature/x")
	require.Equal(t, c.must("rev-parse", "HEAD"), d.at(app, "refs/heads/feature/x"))
	require.Len(t, d.verbs.pushed(), 3)

	// Tags are kept; they build nothing.
	c.must("tag", "-a", "-m", "one", "v1", first)
	require.Contains(t, c.must("push", "drycc", "v1"), "Tags are kept and deploy nothing. To deploy this one: git push REMOTE 'v1^{}:refs/heads/main'")
	require.Len(t, d.verbs.pushed(), 3)
	c.must("push", "drycc", "v1^{}:refs/heads/main")
	require.Equal(t, first, d.verbs.pushed()[3].SHA)
	c.must("push", "drycc", "--delete", "v1")

	c.refused("A push deploys one branch, and this one has 2: one, two. Push the one to deploy: git push REMOTE one",
		"push", "drycc", "HEAD:refs/heads/one", "HEAD:refs/heads/two")
	c.refused("only branches and tags", "push", "drycc", "HEAD:refs/replace/"+first)
	c.must("tag", "-a", "-m", "two", "v2")
	c.refused("would be no commit but a tag", "push", "drycc", "v2:refs/heads/strange")
	require.Len(t, d.verbs.pushed(), 4)
}

func TestWhatIsNotInATree(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	c := d.client("alice", app)
	head := c.must("rev-parse", "HEAD")
	c.write("big.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
	c.write(".gitattributes", "secret export-ignore\n")
	c.commit("secret", "s")
	c.must("update-index", "--add", "--cacheinfo", "160000,"+head+",vendor/lib")
	c.must("commit", "-q", "-m", "a submodule")
	out := c.must("push", "drycc", "main")
	require.Contains(t, out, "Warning: submodules are not built: vendor/lib.")
	require.Contains(t, out, "Warning: big.bin: only a pointer of Git LFS")
	require.NotContains(t, d.verbs.pushed()[0].files, "secret")

	empty := d.client("bobby", "other")
	empty.must("rm", "-q", "-r", ".")
	empty.must("commit", "-q", "-m", "nothing")
	empty.refused("The commit has no files", "push", "drycc", "main")
	blank := &client{door: d, key: "bobby", dir: t.TempDir()}
	blank.must("init", "-q", "-b", "main")
	blank.must("remote", "add", "drycc", d.url("other"))
	blank.refused("src refspec main does not match any", "push", "drycc", "main")
	require.Len(t, d.verbs.pushed(), 1)
}

// CI pushes from clones that know one commit only.
func TestShallowClone(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	c := d.client("alice", app)
	c.commit("a", "a")
	c.commit("b", "b")
	shallow := &client{door: d, key: "alice", dir: filepath.Join(t.TempDir(), "clone")}
	out, err := c.git("clone", "-q", "--depth=1", "file://"+c.dir, shallow.dir)
	require.NoError(t, err, out)
	shallow.must("push", d.url(app), "main")
	require.Equal(t, c.must("rev-parse", "HEAD"), d.at(app, "refs/heads/main"))
	shallow.commit("c", "c")
	shallow.must("push", d.url(app), "main")
	require.Len(t, d.verbs.pushed(), 2)
}

func TestProtocols(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	c := d.client("alice", app)
	for _, version := range []string{"0", "1", "2"} {
		c.commit("version", version)
		c.must("-c", "protocol.version="+version, "push", "drycc", "main")
		clone := filepath.Join(t.TempDir(), "clone")
		c.must("-c", "protocol.version="+version, "clone", "-q", d.url(app), clone)
		raw, err := os.ReadFile(filepath.Join(clone, "version"))
		require.NoError(t, err)
		require.Equal(t, version, string(raw))
	}
	require.Len(t, d.verbs.pushed(), 3)
}

func TestBigRepository(t *testing.T) {
	t.Parallel()
	d := openDoor(t, limits(limitsOf(200<<20)))
	c := d.client("alice", app)
	blob := random(100 << 20)
	c.must("config", "core.compression", "0") // the client's own work, which is not looked at here
	c.commit("blob", blob)
	c.must("push", "-q", "drycc", "main")
	require.Len(t, d.verbs.pushed()[0].files["blob"], len(blob))
	require.True(t, d.verbs.pushed()[0].files["blob"] == blob)
}
