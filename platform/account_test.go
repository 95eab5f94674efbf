package platform_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

func TestValidateEmail(t *testing.T) {
	t.Parallel()
	const message = "Enter a valid email address."
	for address, want := range map[string]string{
		"a@b.test": "", "first.last+tag@sub.example.test": "", strings.Repeat("a", 60) + "@example.test": "",
		"": message, "a": message, "a@b": message, "a@@b.test": message, "A <a@b.test>": message, "<a@b.test>": message, "a@b.test, c@d.test": message,
		"a b@c.test": message, "a@b.test\r\nBcc: c@d.test": message, "a@[127.0.0.1]": message, `"a b"@c.test`: message,
		strings.Repeat("a", 250) + "@b.test": message,
	} {
		requireInvalid(t, platform.ValidateEmail("email", address), "email", want)
	}
}

func TestValidateNewUser(t *testing.T) {
	t.Parallel()
	for password, want := range map[string]string{
		"x": "", strings.Repeat("x", 512): "", "correct horse": "",
		"": "This field may not be blank.", " \t": "This field may not be blank.",
		strings.Repeat("x", 513): "Ensure this field has no more than 512 characters.",
	} {
		requireInvalid(t, platform.ValidatePassword("password", password), "password", want)
	}
	for name, want := range map[string]string{
		"": "", "Ada": "", "Ada King-Noël": "", "a\nb": "Control characters are not allowed.",
		strings.Repeat("x", 151): "Ensure this field has no more than 150 characters.",
	} {
		requireInvalid(t, platform.ValidateFullName("first_name", name), "first_name", want)
	}
}

func TestForeignUsername(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"carol": "carol", " Carol ": "carol", "Eve Online!": "eveonline", "jane.doe@example.test": "jane.doe@example.test",
		"a/b?c=d": "abcd", "../../etc": "etc", "!?": "", "": "", "é": "", "._-x": "x", strings.Repeat("x", 151): "",
	} {
		require.Equal(t, want, platform.ForeignUsername(name), name)
	}
}

func TestRolesAndModes(t *testing.T) {
	t.Parallel()
	for _, role := range []platform.Role{platform.Viewer, platform.Member, platform.Admin} {
		parsed, err := platform.ParseRole("role", role.String())
		require.NoError(t, err)
		require.Equal(t, role, parsed)
	}
	require.Empty(t, platform.NoRole.String())
	_, err := platform.ParseRole("role", "")
	requireInvalid(t, err, "role", `"" is not a valid choice: viewer, member or admin.`)
	for text, want := range map[string]platform.RegistrationMode{
		"": platform.RegistrationAdminOnly, "enabled": platform.RegistrationEnabled, "disabled": platform.RegistrationDisabled, "admin_only": platform.RegistrationAdminOnly,
	} {
		mode, err := platform.ParseRegistrationMode(text)
		require.NoError(t, err)
		require.Equal(t, want, mode)
	}
	_, err = platform.ParseRegistrationMode("open")
	require.ErrorContains(t, err, "REGISTRATION_MODE")
}
