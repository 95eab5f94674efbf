package bootstrap

import (
	"crypto/rand"
	"encoding/json"
	"math/big"
)

// Secret is a text that must not be shown. It prints, formats and marshals as
// "[redacted]"; only Reveal returns it.
type Secret struct{ text string }

// NewSecret hides a text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the text.
func (s Secret) Reveal() string { return s.text }

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return s.text == "" }

// String hides the text, but tells an empty one apart.
func (s Secret) String() string {
	if s.text == "" {
		return ""
	}
	return "[redacted]"
}

// GoString hides the text from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalJSON hides the text.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// passwordLength gives 115 bits with the alphabet below.
const passwordLength = 20

// GeneratePassword returns a random password without the characters that are
// mistaken for each other.
func GeneratePassword() (Secret, error) {
	const alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	out := make([]byte, passwordLength)
	for i := range out {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return Secret{}, err
		}
		out[i] = alphabet[n.Int64()]
	}
	return Secret{string(out)}, nil
}
