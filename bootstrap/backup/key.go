package backup

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
)

// ParseRecipient reads who may read a backup: a public key of age ("age1…") or
// of SSH ("ssh-ed25519 …", "ssh-rsa …"). The error does not repeat it: people
// put private keys there by mistake.
func ParseRecipient(text string) (age.Recipient, error) {
	text = strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(text, "age1"):
		r, err := age.ParseX25519Recipient(text)
		if err != nil {
			return nil, fmt.Errorf("the recipient %.12s… is no public key of age", text)
		}
		return r, nil
	case strings.HasPrefix(text, "ssh-"):
		r, err := agessh.ParseRecipient(text)
		if err != nil {
			return nil, errors.New("a recipient is no public key of SSH that can be used: give an ed25519 or RSA one, as in authorized_keys")
		}
		return r, nil
	case strings.HasPrefix(text, "AGE-SECRET-KEY-"):
		return nil, errors.New("a recipient is a private key: give the public one that goes with it, age1…")
	}
	return nil, errors.New("a recipient is neither age1… nor a public SSH key: make one with \"slipway backup key FILE\"")
}

// ParseRecipients reads a list with commas or line breaks between; lines that
// begin with # are left out.
func ParseRecipients(list string) ([]age.Recipient, error) {
	var all []age.Recipient
	for _, text := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == '\n' }) {
		if text = strings.TrimSpace(text); text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		r, err := ParseRecipient(text)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// Passphrase makes a backup that one passphrase opens; such a backup has no
// other recipients.
func Passphrase(text string) (age.Recipient, error) {
	if len(text) < 10 {
		return nil, errors.New("the passphrase has fewer than 10 characters: everything that the platform knows hangs on it")
	}
	return age.NewScryptRecipient(text)
}

// PassphraseIdentity opens a backup that Passphrase made.
func PassphraseIdentity(text string) (age.Identity, error) { return age.NewScryptIdentity(text) }

// LoadIdentities reads a file of private keys: of age, or one of SSH without a
// passphrase of its own.
func LoadIdentities(path string) ([]age.Identity, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	if bytes.Contains(data, []byte("-----BEGIN")) {
		id, err := agessh.ParseIdentity(data)
		if err != nil {
			return nil, fmt.Errorf("key file %s: it can't be used (a key with a passphrase can't; \"ssh-keygen -p\" on a copy takes it off)", path)
		}
		return []age.Identity{id}, nil
	}
	ids, err := age.ParseIdentities(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("key file %s: it has no private key of age or SSH", path)
	}
	return ids, nil
}

// NewKey makes a private key and the recipient that goes with it, as texts.
func NewKey() (private, recipient string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", "", err
	}
	return id.String(), id.Recipient().String(), nil
}
