package control_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// line is a key as it stands in a .pub file.
func line(t *testing.T, key any) string {
	t.Helper()
	k, err := ssh.NewPublicKey(key)
	require.NoError(t, err)
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k)))
}

// fields puts together an SSH blob.
func fields(parts ...string) string {
	var blob []byte
	for _, p := range parts {
		blob = append(blob, byte(len(p)>>24), byte(len(p)>>16), byte(len(p)>>8), byte(len(p)))
		blob = append(blob, p...)
	}
	return parts[0] + " " + base64.StdEncoding.EncodeToString(blob)
}

func TestKeyTypes(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	lines := map[string]string{
		"ed25519": line(t, ed), "rsa": line(t, &rsaKey.PublicKey),
		"sk ed25519": fields("sk-ssh-ed25519@openssh.com", string(ed), "ssh:"),
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		require.NoError(t, err)
		lines[curve.Params().Name] = line(t, &key.PublicKey)
		if curve == elliptic.P256() {
			public, err := key.PublicKey.ECDH()
			require.NoError(t, err)
			lines["sk ecdsa"] = fields("sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", string(public.Bytes()), "ssh:")
		}
	}
	for name, public := range lines {
		added, err := k.AddKey(t.Context(), k.alice, name, public+"   some one's comment ")
		require.NoError(t, err, name)
		require.Regexp(t, `^([0-9a-f]{2}:){15}[0-9a-f]{2}$`, added.Fingerprint)
		require.Regexp(t, `^SHA256:[A-Za-z0-9+/]{43}$`, added.SHA256)
		require.Equal(t, public+"   some one's comment", added.Public)
		for _, f := range []string{added.Fingerprint, added.SHA256} {
			p, err := k.FindPusher(t.Context(), f)
			require.NoError(t, err)
			require.Equal(t, "alice", p.Username)
		}
	}
	_, total, err := k.ListKeys(t.Context(), k.alice, control.Page{})
	require.NoError(t, err)
	require.Equal(t, len(lines), total)
}

func TestKeysThatAreRefused(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	ed, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	good := line(t, ed)
	signer, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	certificate := &ssh.Certificate{Key: signer.PublicKey(), CertType: ssh.UserCert}
	require.NoError(t, certificate.SignCert(rand.Reader, signer))
	for name, tc := range map[string]struct{ public, want string }{
		"empty":       {"  ", "may not be blank"},
		"base64":      {"ssh-rsa AAAA*", "Key contains invalid base64 chars"},
		"one word":    {"ssh-rsa", "Key contains invalid base64 chars"},
		"options":     {`command="x" ` + good, "Key contains invalid base64 chars"},
		"two keys":    {good + "\n" + good, "a single line"},
		"type":        {"ssh-rsa " + strings.Fields(good)[1], "of another type"},
		"cut":         {good[:40], "no public key"},
		"unknown":     {fields("ssh-future", "x"), "no public key"},
		"certificate": {string(ssh.MarshalAuthorizedKey(certificate)), "no public key"},
		"private":     {"-----BEGIN RSA PRIVATE KEY-----\nswordfish", "a private key"},
		"long":        {"ssh-rsa " + strings.Repeat("A", 20000), "too long"},
	} {
		_, err := k.AddKey(t.Context(), k.alice, "x", tc.public)
		fails(t, err, platform.Invalid, tc.want)
		require.NotContains(t, err.Error(), "swordfish", name)
	}
	for id, want := range map[string]string{
		"": "may not be blank", "a\x00": "control", "a\tb": "control", "\xff": "control", strings.Repeat("é", 129): "128 characters",
	} {
		_, err := k.AddKey(t.Context(), k.alice, id, good)
		fails(t, err, platform.Invalid, want)
	}
	_, err = k.AddKey(t.Context(), k.alice, strings.Repeat("é", 128), good)
	require.NoError(t, err)
}

func TestServiceKey(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	fails(t, k.AuthenticateService(""), platform.Forbidden, "permission")
	fails(t, k.AuthenticateService("x"), platform.Forbidden, "permission")
	k.renew(func(o *control.Options) { o.ServiceKey = "open sesame" })
	require.NoError(t, k.AuthenticateService("open sesame"))
	for _, wrong := range []string{"", "open", "open sesame ", "Open sesame"} {
		fails(t, k.AuthenticateService(wrong), platform.Forbidden, "permission")
	}
}

// A key of a user who may not log in opens nothing.
func TestInactivePusher(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	u, err := k.store.CreateUser(t.Context(), platform.User{Username: "gone"}, "")
	require.NoError(t, err)
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	key, err := k.AddKey(t.Context(), control.Actor{User: u}, "x", line(t, ed))
	require.NoError(t, err)
	_, err = k.FindPusher(t.Context(), key.Fingerprint)
	fails(t, err, platform.NotFound, "No Key")
	k.create(app)
	_, err = k.PushConfig(t.Context(), "gone", app)
	fails(t, err, platform.Forbidden, "permission")
	_, err = k.Push(t.Context(), "gone", app, control.NewBuild{Image: "127.0.0.1:5555/x:1", Stack: "container"})
	fails(t, err, platform.Forbidden, "permission")
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	require.NoError(t, k.Alert(t.Context(), "alice", []control.Alert{{"title": "one", "severity": "critical"}, {"title": "two"}}))
	require.NoError(t, k.Alert(t.Context(), "drycc", []control.Alert{{"title": "three"}}))
	fails(t, k.Alert(t.Context(), " ", nil), platform.Invalid, "required")
	fails(t, k.Alert(t.Context(), "nothere", []control.Alert{{}}), platform.NotFound, "No Workspace")
	fails(t, k.Alert(t.Context(), "alice", make([]control.Alert, 101)), platform.Invalid, "100")
	fails(t, k.Alert(t.Context(), "alice", []control.Alert{{"content": strings.Repeat("x", 70000)}}), platform.Invalid, "longer")
	events, err := k.store.ListEvents(t.Context(), "", 0, 100)
	require.NoError(t, err)
	var told []string
	for _, e := range events {
		if e.Object == "alert" {
			told = append(told, string(e.Data))
		}
	}
	require.Len(t, told, 3)
	require.JSONEq(t, `{"workspace": "alice", "alert": {"title": "one", "severity": "critical"}}`, told[0])
}
