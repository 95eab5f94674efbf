package control

import (
	"encoding/base64"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/slipway-paas/slipway/platform"
)

// What is accepted as a key is one line that OpenSSH reads, with fingerprints
// that do not depend on how the line is written.
func FuzzPublicKey(f *testing.F) {
	for _, s := range []string{
		"", "ssh-rsa", "ssh-rsa AAAA", "ssh-rsa AAAA*", " ssh-ed25519  x y", "-----BEGIN OPENSSH PRIVATE KEY-----",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDnz7zlVfqP3umawd5adLzKHKvRbuGTwNpKFIOrNz/eX ada@laptop",
		"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBL+amQyNFmZxEEEc/YFBlCOZdggaEzdYccFCmSNuGRqlVEiK+ZHOR2Fr+t9/netXapHadjYBc5aZHyignFa2s/I= e256",
		"sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIDnz7zlVfqP3umawd5adLzKHKvRbuGTwNpKFIOrNz/eXAAAABHNzaDo=",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, public string) {
		k, err := parseKey(public)
		if err != nil {
			if platform.CodeOf(err) != platform.Invalid {
				t.Fatalf("%q: %v", public, err)
			}
			return
		}
		if strings.ContainsAny(k.Public, "\r\n\x00") {
			t.Fatalf("%q is more than a line", k.Public)
		}
		read, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(k.Public))
		if err != nil || len(options)+len(rest) > 0 {
			t.Fatalf("%q: %v", k.Public, err)
		}
		if k.SHA256 != ssh.FingerprintSHA256(read) || k.Fingerprint != ssh.FingerprintLegacyMD5(read) {
			t.Fatalf("%q: other fingerprints", k.Public)
		}
		// The same key in its canonical form is the same key.
		canonical := read.Type() + " " + base64.StdEncoding.EncodeToString(read.Marshal())
		again, err := parseKey(canonical)
		if err != nil || again.SHA256 != k.SHA256 {
			t.Fatalf("%q: %v, %q and %q", k.Public, err, again.SHA256, k.SHA256)
		}
	})
}
