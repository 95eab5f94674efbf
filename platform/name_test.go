package platform_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

const nameMessage = "App name must start with an alphabetic character, cannot end with a hyphen " +
	"and can only contain a-z (lowercase), 0-9 and hyphens."

// requireInvalid checks code, field and message of an error; an empty message
// means that there must be none.
func requireInvalid(t *testing.T, err error, field, message string) {
	t.Helper()
	if message == "" {
		require.NoError(t, err)
		return
	}
	var e *platform.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, platform.Invalid, e.Code)
	require.Equal(t, field, e.Field)
	require.Equal(t, message, e.Message)
}

func TestValidateAppID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"hello": "", "h3llo-w0rld": "", "a----b": "", strings.Repeat("a", 63): "",
		"": nameMessage, "four": nameMessage, "1hello": nameMessage, "hello-": nameMessage, "-hello": nameMessage,
		"Hello": nameMessage, "hel_lo": nameMessage, "hel.lo": nameMessage, "hellö": nameMessage, "hello\n": nameMessage,
		strings.Repeat("a", 64): "Ensure this field has no more than 63 characters.",
	} {
		requireInvalid(t, platform.ValidateAppID(id), "id", want)
	}
}

func TestValidateWorkspaceID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"hello": "", "12345": "", "ws001": "",
		"four": nameMessage, "with-hyphen": nameMessage, "Upper": nameMessage, "": nameMessage,
		strings.Repeat("a", 64): "Ensure this field has no more than 63 characters.",
	} {
		requireInvalid(t, platform.ValidateWorkspaceID(id), "id", want)
	}
}

func TestValidatePtype(t *testing.T) {
	t.Parallel()
	const form = `Process types can only supports: ^(?P<type>[a-z0-9]+(\-[a-z0-9]+)*)$`
	const length = "The length of ptype must be between 3 and 63"
	for name, want := range map[string]string{
		"web": "", "worker-2": "", "a-b": "", "123": "", strings.Repeat("a", 63): "",
		"": form, "-web": form, "web-": form, "we--b": form, "Web": form, "we_b": form, "we b": form,
		"ab": length, strings.Repeat("a", 64): length,
	} {
		requireInvalid(t, platform.ValidatePtype("limits", name), "limits", want)
	}
}

// The hand-written check agrees with the pattern that its message names.
func FuzzValidatePtype(f *testing.F) {
	for _, s := range []string{"web", "a-b", "a--b", "-", "", "é"} {
		f.Add(s)
	}
	pattern := regexp.MustCompile(`\A[a-z0-9]+(\-[a-z0-9]+)*\z`)
	f.Fuzz(func(t *testing.T, s string) {
		want := pattern.MatchString(s) && len(s) >= 3 && len(s) <= 63
		require.Equal(t, want, platform.ValidatePtype("x", s) == nil)
	})
}

func TestValidateUsername(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{"admin": true, "a1234": true, "bob": true, "bo": false, "1admin": false, "Admin": false, "ad-min": false, "": false} {
		require.Equal(t, ok, platform.ValidateUsername(name) == nil, name)
	}
}

func TestReserved(t *testing.T) {
	t.Parallel()
	r, err := platform.NewReserved(platform.DefaultReserved())
	require.NoError(t, err)
	for _, name := range []string{"default", "drycc", "drycc-registry", "kube-system", "istio", "personal", "rook-ceph", "mount-s3"} {
		requireInvalid(t, r.Check("id", name), "id", name+" is a reserved name.")
	}
	for _, name := range []string{"hello", "drycc2", "my-default", "kubernetes", "admin"} {
		require.NoError(t, r.Check("id", name))
	}
	require.NoError(t, platform.Reserved{}.Check("id", "default"))
	_, err = platform.NewReserved([]string{"ok", "("})
	require.ErrorContains(t, err, `reserved name pattern "("`)
}

func TestNewAppID(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 200 {
		id, err := platform.NewAppID(rand.Reader)
		require.NoError(t, err)
		require.Regexp(t, `^[a-z]{6}-[a-z]{8}$`, id)
		require.NoError(t, platform.ValidateAppID(id))
		require.False(t, seen[id])
		seen[id] = true
	}
	_, err := platform.NewAppID(bytes.NewReader([]byte{1, 2, 255, 3}))
	require.ErrorIs(t, err, io.EOF)
}

func TestErrors(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk on fire")
	err := &platform.Error{Code: platform.Internal, Op: "store.FindApp", Field: "id", Message: "broken", Err: cause}
	require.Equal(t, "store.FindApp: id: broken: disk on fire", err.Error())
	require.ErrorIs(t, err, cause)
	require.Equal(t, platform.Code(""), platform.CodeOf(nil))
	require.Equal(t, platform.Internal, platform.CodeOf(cause))
	require.Equal(t, platform.Conflict, platform.CodeOf(platform.Errorf(platform.Conflict, "x %d", 1)))
	require.True(t, platform.Release{State: platform.ReleaseCrashed}.Failed())
}
