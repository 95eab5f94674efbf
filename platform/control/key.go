package control

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/slipway-paas/slipway/platform"
)

const (
	maxPublicKey = 16 << 10 // bytes; an RSA key of 16384 bits has 3 KiB
	keyBase64    = "Key contains invalid base64 chars"
	keyTaken     = "Public Key is already in use"
	keyNamed     = "SSH Key with this id already exists."
)

// AddKey gives the actor a public SSH key under the name id. A key that
// anybody has already, a name that the actor has already, and what is no
// public key are Invalid.
func (c *Controller) AddKey(ctx context.Context, actor Actor, id, public string) (platform.Key, error) {
	if err := platform.ValidateKeyID(id); err != nil {
		return platform.Key{}, err
	}
	k, err := parseKey(public)
	if err != nil {
		return platform.Key{}, err
	}
	now := c.now()
	k.UUID, k.Owner, k.ID, k.Created, k.Updated = newUUID(), actor.User.Username, id, now, now
	k, err = c.store.CreateKey(ctx, k)
	var taken *platform.Error
	if errors.As(err, &taken) && taken.Code == platform.Conflict {
		if taken.Field == "id" {
			return platform.Key{}, platform.FieldErrorf("id", keyNamed)
		}
		return platform.Key{}, platform.FieldErrorf("public", keyTaken)
	}
	return k, err
}

// ListKeys lists the actor's own keys, oldest first.
func (c *Controller) ListKeys(ctx context.Context, actor Actor, p Page) ([]platform.Key, int, error) {
	return c.store.ListKeys(ctx, actor.User.Username, p)
}

// FindKey finds one of the actor's own keys.
func (c *Controller) FindKey(ctx context.Context, actor Actor, id string) (platform.Key, error) {
	return c.store.FindKey(ctx, actor.User.Username, id)
}

// DeleteKey takes one of the actor's own keys away; pushes with it end at once.
func (c *Controller) DeleteKey(ctx context.Context, actor Actor, id string) error {
	return c.store.DeleteKey(ctx, actor.User.Username, id)
}

// parseKey reads one line of ssh-keygen and works out its fingerprints. What
// is wrong is told without repeating what was sent, which may be a private key.
func parseKey(public string) (platform.Key, error) {
	refuse := func(why string) (platform.Key, error) {
		return platform.Key{}, platform.FieldErrorf("public", "%s", why)
	}
	public = strings.TrimSpace(public)
	switch {
	case public == "":
		return refuse("This field may not be blank.")
	case len(public) > maxPublicKey:
		return refuse("This is too long for a public key.")
	case strings.Contains(public, "PRIVATE KEY"):
		return refuse("This is a private key, which should never leave your machine. Send the public one, from the file that ends in .pub.")
	case strings.ContainsAny(public, "\r\n\x00"):
		return refuse("A public key is a single line, as in the file that ends in .pub.")
	}
	kind, rest, _ := strings.Cut(public, " ")
	encoded, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	blob, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(blob) == 0 {
		return refuse(keyBase64)
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil || strings.HasSuffix(key.Type(), "-cert-v01@openssh.com") {
		return refuse("This is no public key that can be used here. Make one with: ssh-keygen -t ed25519")
	}
	if key.Type() != kind {
		return refuse("The key is of another type than its line says; send the .pub file as it is.")
	}
	return platform.Key{Public: public, Fingerprint: ssh.FingerprintLegacyMD5(key), SHA256: ssh.FingerprintSHA256(key)}, nil
}
