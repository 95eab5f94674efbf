package gitssh

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"
)

// rsaBits is the size of the RSA host key.
const rsaBits = 3072

// openHostKeys reads the host's keys from dir and makes those that are
// missing: clients remember them, so they are made once.
func openHostKeys(dir string) ([]ssh.Signer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("host keys: %w", err)
	}
	kinds := []struct {
		name string
		make func() (crypto.PrivateKey, error)
	}{
		{"ed25519", func() (crypto.PrivateKey, error) { _, key, err := ed25519.GenerateKey(rand.Reader); return key, err }},
		{"ecdsa", func() (crypto.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }},
		{"rsa", func() (crypto.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, rsaBits) }},
	}
	var signers []ssh.Signer
	for _, k := range kinds {
		file := filepath.Join(dir, "ssh_host_"+k.name+"_key")
		signer, err := openHostKey(file, k.make)
		if err != nil {
			return nil, fmt.Errorf("host key %s: %w", file, err)
		}
		signers = append(signers, signer)
	}
	return signers, nil
}

func openHostKey(file string, generate func() (crypto.PrivateKey, error)) (ssh.Signer, error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		raw, err = writeHostKey(file, generate)
	}
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(raw)
	if err != nil {
		// The library's error could repeat what is in the file.
		return nil, errors.New("the file holds no private key: restore it, or remove it to have a new one made")
	}
	return modernSigner(signer)
}

// modernSigner keeps an RSA key from signing with SHA-1.
func modernSigner(signer ssh.Signer) (ssh.Signer, error) {
	algorithms, ok := signer.(ssh.AlgorithmSigner)
	if !ok || signer.PublicKey().Type() != ssh.KeyAlgoRSA {
		return signer, nil
	}
	return ssh.NewSignerWithAlgorithms(algorithms, []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256})
}

// writeHostKey makes a key and writes it, complete or not at all.
func writeHostKey(file string, generate func() (crypto.PrivateKey, error)) ([]byte, error) {
	key, err := generate()
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(key, "slipway")
	if err != nil {
		return nil, err
	}
	raw := pem.EncodeToMemory(block)
	temp, err := os.CreateTemp(filepath.Dir(file), ".new-*") // 0600
	if err != nil {
		return nil, err
	}
	_, err = temp.Write(raw)
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(temp.Name()))
	}
	// Clients that saw a key which a loss of power took away would refuse the next.
	return raw, syncDir(filepath.Dir(file))
}
