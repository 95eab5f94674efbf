package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
)

// KeySize is the length in bytes of the key that seals secrets.
const KeySize = 32

// sealVersion is the first byte of every ciphertext, so that another way of
// sealing can follow some day.
const sealVersion = 1

// sealer encrypts what must not be readable in the database file.
//
//	version (1) │ nonce (12) │ ciphertext and tag
//
// Each text is bound to its place (table and row), so that ciphertexts can't
// be swapped between rows.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) (sealer, error) {
	if len(key) != KeySize {
		return sealer{}, fmt.Errorf("store: the key has %d bytes, not %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, fmt.Errorf("store: key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return sealer{}, fmt.Errorf("store: key: %w", err)
	}
	return sealer{aead: aead}, nil
}

func (s sealer) seal(place string, plain []byte) []byte {
	out := make([]byte, 1+s.aead.NonceSize(), 1+s.aead.NonceSize()+len(plain)+s.aead.Overhead())
	out[0] = sealVersion
	_, _ = rand.Read(out[1:]) // never returns an error
	return s.aead.Seal(out, out[1:], plain, []byte(place))
}

func (s sealer) open(place string, sealed []byte) ([]byte, error) {
	n := 1 + s.aead.NonceSize()
	if len(sealed) < n || sealed[0] != sealVersion {
		return nil, errors.New("sealed data is damaged")
	}
	plain, err := s.aead.Open(nil, sealed[1:n], sealed[n:], []byte(place))
	if err != nil {
		return nil, errors.New("sealed data does not open: wrong key or damaged row")
	}
	return plain, nil
}
