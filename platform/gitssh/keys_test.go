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
	"strings"
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

// dial opens a connection with a user's key.
func (d *door) dial(key string) *ssh.Client {
	d.t.Helper()
	conn, err := ssh.Dial("tcp", "127.0.0.1:"+d.port, &ssh.ClientConfig{
		User: "git", Auth: []ssh.AuthMethod{ssh.PublicKeys(d.signer(key))},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	require.NoError(d.t, err)
	d.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// signer is a user's key.
func (d *door) signer(key string) ssh.Signer {
	d.t.Helper()
	raw, err := os.ReadFile(filepath.Join(d.home, key))
	require.NoError(d.t, err)
	signer, err := ssh.ParsePrivateKey(raw)
	require.NoError(d.t, err)
	return signer
}

// run executes a line with some input; it returns all that comes back.
func run(t *testing.T, conn *ssh.Client, line, input string) (said string, code int) {
	t.Helper()
	session, err := conn.NewSession()
	require.NoError(t, err)
	defer session.Close()
	session.Stdin = strings.NewReader(input)
	out, err := session.CombinedOutput(line)
	if err != nil {
		var exit *ssh.ExitError
		require.ErrorAs(t, err, &exit)
		code = exit.ExitStatus()
	}
	return string(out), code
}
