package gitssh_test

import (
	"archive/tar"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

// addKey makes a key and gives it to a user; empty for nobody.
func (d *door) addKey(file, user string) (fingerprint string) {
	d.t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(d.t, err)
	block, err := ssh.MarshalPrivateKey(private, file)
	require.NoError(d.t, err)
	require.NoError(d.t, os.WriteFile(filepath.Join(d.home, file), pem.EncodeToMemory(block), 0o600))
	key, err := ssh.NewPublicKey(public)
	require.NoError(d.t, err)
	require.NoError(d.t, os.WriteFile(filepath.Join(d.home, file+".pub"), ssh.MarshalAuthorizedKey(key), 0o600))
	fingerprint = ssh.FingerprintSHA256(key)
	if user != "" {
		d.verbs.mu.Lock()
		d.verbs.keys[fingerprint] = user
		d.verbs.mu.Unlock()
	}
	return fingerprint
}

// knownHost is the line of a known_hosts file for a private host key.
func knownHost(t *testing.T, port string, private []byte) []byte {
	t.Helper()
	signer, err := ssh.ParsePrivateKey(private)
	require.NoError(t, err)
	return append([]byte("[127.0.0.1]:"+port+" "), ssh.MarshalAuthorizedKey(signer.PublicKey())...)
}

// untar reads a tree that was handed to a build.
func untar(name string) (map[string]string, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	files := map[string]string{}
	for archive := tar.NewReader(file); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		switch h.Typeflag {
		case tar.TypeXGlobalHeader:
		case tar.TypeDir:
			files[h.Name] = "/"
		case tar.TypeSymlink:
			files[h.Name] = "→" + h.Linkname
		default:
			raw, err := io.ReadAll(archive)
			if err != nil {
				return nil, err
			}
			files[h.Name] = string(raw)
		}
	}
}
