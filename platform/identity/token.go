package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
)

const (
	keyLen      = 128
	passwordLen = 24
	alphabet    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	// legible leaves out what is easily mistaken for something else.
	legible = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"
)

// NewKey makes a token key of 128 letters and digits.
func (i *Identity) NewKey() string { return random(alphabet, keyLen) }

// HashKey is the SHA-256 of a key in hex. A key has 762 random bits, so it
// needs no slow hash.
func (i *Identity) HashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// NewPassword makes a password of 24 legible characters (139 bits).
func NewPassword() string { return random(legible, passwordLen) }

// random draws n characters, each equally likely.
func random(from string, n int) string {
	out := make([]byte, 0, n)
	buf := make([]byte, 2*n)
	limit := 256 - 256%len(from) // above it, the first ones would be likelier
	for len(out) < n {
		_, _ = rand.Read(buf) // never returns an error
		for _, b := range buf {
			if int(b) < limit && len(out) < n {
				out = append(out, from[int(b)%len(from)])
			}
		}
	}
	return string(out)
}
