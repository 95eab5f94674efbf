package control_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/platformtest"
)

// quay is a yard whose app has a build hook.
type quay struct {
	*yard
	fetcher *platformtest.Fetcher
	dir     string // of trees
	hook    platform.BuildHook
	secret  string
}

const elsewhere = "https://git.example.com/blog.git"

func newQuay(t *testing.T) *quay {
	t.Helper()
	q := &quay{dir: t.TempDir()}
	q.fetcher = platformtest.NewFetcher(q.dir, commit)
	q.yard = newYard(t, func(o *control.Options) { o.Fetcher = q.fetcher })
	var err error
	q.hook, q.secret, err = q.SetBuildHook(t.Context(), q.alice, app, control.NewBuildHook{URL: elsewhere, Username: "bot", Password: "glpat-1"})
	require.NoError(t, err)
	return q
}

func signed(secret, body string) control.HookCall {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return control.HookCall{Body: []byte(body), Signature: hex.EncodeToString(mac.Sum(nil))}
}

func pushOf(sha string) string { return fmt.Sprintf(`{"ref": "refs/heads/main", "after": %q}`, sha) }

// tell calls the hook and waits for what it began.
func (q *quay) tell(call control.HookCall) control.HookAnswer {
	q.t.Helper()
	answer, err := q.CallBuildHook(q.t.Context(), q.hook.UUID, call)
	require.NoError(q.t, err)
	q.settle()
	left, err := os.ReadDir(q.dir)
	require.NoError(q.t, err)
	assert.Empty(q.t, left, "trees are removed")
	return answer
}

func TestBuildHook(t *testing.T) {
	q := newQuay(t)
	answer := q.tell(signed(q.secret, pushOf(commit)))
	require.NotNil(t, answer.Run)
	run, err := q.FindBuildRun(t.Context(), q.alice, app, answer.Run.UUID)
	require.NoError(t, err)
	assert.Equal(t, platform.BuildSucceeded, run.State, run.Message)
	assert.Equal(t, []string{"hook", "refs/heads/main", commit, "alice"}, []string{run.Origin, run.Ref, run.SHA, run.User})
	assert.Equal(t, []control.GitSource{{URL: elsewhere, Branch: "main", Username: "bot", Password: "glpat-1"}}, q.fetcher.Asked())
	var log strings.Builder
	require.NoError(t, q.BuildLog(t.Context(), q.alice, app, run.UUID, false, &log))
	assert.Contains(t, log.String(), "---> Fetching main of "+elsewhere+"\n---> fetched\n---> The newest commit is 060da68f\n---> Starting build...")
	assert.NotContains(t, log.String(), "glpat")

	again := q.tell(signed(q.secret, pushOf(commit)))
	assert.Equal(t, "This was told before.", again.Message)
	assert.Equal(t, run.UUID, again.Run.UUID)
	assert.Len(t, q.runs(), 1)
}

// TestBuildHookRepeated repeats an old call after newer ones: what is newest
// at the host is built, whatever the call says.
func TestBuildHookRepeated(t *testing.T) {
	q := newQuay(t)
	newer := strings.Repeat("b", 40)
	q.fetcher.Push(newer, nil)
	old := signed(q.secret, pushOf(commit))
	run := q.tell(old).Run
	found, err := q.FindBuildRun(t.Context(), q.alice, app, run.UUID)
	require.NoError(t, err)
	assert.Equal(t, newer, found.SHA, "the branch had moved on")
	version := found.Version

	late := q.tell(signed(q.secret, pushOf(newer)))
	found, err = q.FindBuildRun(t.Context(), q.alice, app, late.Run.UUID)
	require.NoError(t, err)
	assert.Equal(t, platform.BuildCanceled, found.State)
	assert.Equal(t, "bbbbbbbb is what was built last.", found.Message)

	assert.Equal(t, "This was told before.", q.tell(old).Message)
	pulled, err := q.PullSource(t.Context(), q.alice, app)
	require.NoError(t, err)
	q.settle()
	found, err = q.FindBuildRun(t.Context(), q.alice, app, pulled.UUID)
	require.NoError(t, err)
	assert.Equal(t, version+1, found.Version, "who asks gets it built again")
}

func TestBuildHookTriedAgain(t *testing.T) {
	q := newQuay(t)
	q.fetcher.Push(commit, platform.Errorf(platform.Invalid, "git.example.com answers 401"))
	first := q.tell(signed(q.secret, pushOf(commit))).Run
	found, err := q.FindBuildRun(t.Context(), q.alice, app, first.UUID)
	require.NoError(t, err)
	assert.Equal(t, platform.BuildFailed, found.State)
	assert.Equal(t, "git.example.com answers 401", found.Message)
	q.fetcher.Push(commit, nil)
	second := q.tell(signed(q.secret, pushOf(commit))).Run
	found, err = q.FindBuildRun(t.Context(), q.alice, app, second.UUID)
	require.NoError(t, err)
	assert.Equal(t, platform.BuildSucceeded, found.State, "a delivery is repeated at the host when it failed")
}

func TestBuildHookCalls(t *testing.T) {
	q := newQuay(t)
	body := pushOf(commit)
	form := "payload=" + url.QueryEscape(body)
	for _, k := range []struct {
		name string
		call control.HookCall
		want string // the answer, or the error
		code platform.Code
	}{
		{"no proof", control.HookCall{Body: []byte(body)}, "", platform.Forbidden},
		{"another secret", signed("x", body), "", platform.Forbidden},
		{"a wrong token", control.HookCall{Body: []byte(body), Token: "x"}, "", platform.Forbidden},
		{"a signature that is none", control.HookCall{Body: []byte(body), Signature: "zz"}, "", platform.Forbidden},
		{"a wrong signature beside the token", control.HookCall{Body: []byte(body), Signature: "00", Token: q.secret}, "", platform.Forbidden},
		{"another body", control.HookCall{Body: []byte("{}"), Signature: signed(q.secret, body).Signature}, "", platform.Forbidden},
		{"ping", control.HookCall{Body: []byte("{}"), Signature: signed(q.secret, "{}").Signature, Event: "ping"}, "pong", ""},
		{"an issue", control.HookCall{Token: q.secret, Event: "Issue Hook"}, "Nothing is built upon this event", ""},
		{"another branch", signed(q.secret, `{"ref": "refs/heads/next"}`), "this hook is for the branch main", ""},
		{"a tag", signed(q.secret, `{"ref": "refs/tags/main"}`), "this hook is for the branch main", ""},
		{"removed", signed(q.secret, `{"ref": "refs/heads/main", "after": "`+strings.Repeat("0", 40)+`"}`), "the branch was removed", ""},
		{"no JSON", signed(q.secret, "hello"), "", platform.Invalid},
		{"no commit", signed(q.secret, `{"after": "--x"}`), "", platform.Invalid},
	} {
		t.Run(k.name, func(t *testing.T) {
			answer, err := q.CallBuildHook(t.Context(), q.hook.UUID, k.call)
			assert.Equal(t, k.code, platform.CodeOf(err), "%v", err)
			assert.Contains(t, answer.Message, k.want)
			assert.Nil(t, answer.Run)
		})
	}
	assert.Empty(t, q.runs())
	_, err := q.CallBuildHook(t.Context(), "nothere", signed(q.secret, body))
	assert.Equal(t, platform.NotFound, platform.CodeOf(err))

	call := signed(q.secret, form)
	call.Form = true
	assert.Equal(t, "Building.", q.tell(call).Message, "GitHub's form")
	q.fetcher.Push(strings.Repeat("c", 40), nil)
	assert.Equal(t, "Building.", q.tell(control.HookCall{Token: q.secret, Event: "Push Hook", Body: []byte(body)}).Message, "GitLab's token")
}

func TestBuildHookIsSetUp(t *testing.T) {
	q := newQuay(t)
	over, secret, err := q.SetBuildHook(t.Context(), q.alice, app, control.NewBuildHook{URL: "git@git.example.com:blog.git", Branch: "next"})
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(over.PublicKey, "ssh-ed25519 "))
	assert.NotEmpty(t, over.HostKey)
	assert.NotEqual(t, q.secret, secret)
	_, err = q.CallBuildHook(t.Context(), q.hook.UUID, signed(q.secret, "{}"))
	assert.Equal(t, platform.NotFound, platform.CodeOf(err), "the old address is gone")
	found, err := q.FindBuildHook(t.Context(), q.alice, app)
	require.NoError(t, err)
	assert.Equal(t, over, found)
	q.hook, q.secret = over, secret
	q.tell(signed(secret, "{}"))
	assert.Contains(t, q.fetcher.Asked()[0].PrivateKey, "PRIVATE KEY")

	for field, n := range map[string]control.NewBuildHook{
		"url":      {URL: "/srv/a.git"},
		"branch":   {URL: elsewhere, Branch: "a..b"},
		"password": {URL: "git@git.example.com:blog.git", Password: "x"},
		"username": {URL: elsewhere, Username: "a:b"},
		"ca":       {URL: elsewhere, CA: "no certificate"},
	} {
		_, _, err := q.SetBuildHook(t.Context(), q.alice, app, n)
		var e *platform.Error
		require.ErrorAs(t, err, &e, field)
		assert.Equal(t, field, e.Field)
	}
	q.fetcher.Push("", platform.Errorf(platform.Invalid, "git.example.com can't be reached"))
	_, _, err = q.SetBuildHook(t.Context(), q.alice, app, control.NewBuildHook{URL: "git@git.example.com:blog.git"})
	require.ErrorContains(t, err, "can't be reached")
	found, err = q.FindBuildHook(t.Context(), q.alice, app)
	require.NoError(t, err)
	assert.Equal(t, over, found, "what does not work changes nothing")

	require.NoError(t, q.DeleteBuildHook(t.Context(), q.alice, app))
	_, err = q.FindBuildHook(t.Context(), q.alice, app)
	assert.Equal(t, platform.NotFound, platform.CodeOf(err))
	_, err = q.PullSource(t.Context(), q.alice, app)
	assert.Equal(t, platform.NotFound, platform.CodeOf(err))
}

func TestBuildHookOfOneWhoMayNot(t *testing.T) {
	q := newQuay(t)
	active := false
	_, err := q.store.UpdateUser(t.Context(), "alice", platform.UserChange{IsActive: &active}, q.clock.Now())
	require.NoError(t, err)
	_, err = q.CallBuildHook(t.Context(), q.hook.UUID, signed(q.secret, "{}"))
	require.ErrorContains(t, err, "alice, who set this hook up, may not deploy")
	assert.Equal(t, platform.Forbidden, platform.CodeOf(err))
}
