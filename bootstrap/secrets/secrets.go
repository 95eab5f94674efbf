// Package secrets keeps the passwords and keys that an installation makes for
// itself, in files that only root reads. Each is made once and never changed.
package secrets

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/slipway-paas/slipway/bootstrap/host"
)

// Secrets are the passwords the platform's parts use among themselves. They
// are made once and live in a file that only root reads.
type Secrets struct {
	StorageAccessKey string `json:"storageAccessKey"`
	StorageSecretKey string `json:"storageSecretKey"`
	RegistryHTTP     string `json:"registryHTTP"` // signs the registry's upload state
	RegistryNode     string `json:"registryNode"` // the nodes' password for pulls
}

// NodeUser is the name under which nodes pull from the platform registry.
const NodeUser = "slipway-node"

// BuilderUser is the name under which builds push to the platform registry.
const BuilderUser = "slipway-builder"

// Open reads the secrets, or makes them when there are none yet.
func Open(path string) (Secrets, error) {
	var s Secrets
	data, err := os.ReadFile(path)
	if err == nil {
		if err := json.Unmarshal(data, &s); err != nil {
			return s, fmt.Errorf("%s: %w; restore it from a backup", path, err)
		}
		return s, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return s, fmt.Errorf("secrets: %w", err)
	}
	s = Secrets{
		StorageAccessKey: strings.ToUpper(rand.Text()[:20]), StorageSecretKey: rand.Text() + rand.Text(),
		RegistryHTTP: rand.Text() + rand.Text(), RegistryNode: rand.Text(),
	}
	if data, err = json.MarshalIndent(s, "", "  "); err != nil {
		return s, fmt.Errorf("secrets: %w", err)
	}
	return s, writeOnce(path, append(data, '\n'))
}

// OpenKey reads the 32-byte key that encrypts the store's secrets, or makes it.
func OpenKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		key = make([]byte, 32)
		if _, err := rand.Read(key); err != nil {
			return nil, fmt.Errorf("store key: %w", err)
		}
		return key, writeOnce(path, key)
	}
	if err != nil {
		return nil, fmt.Errorf("store key: %w", err)
	}
	if len(key) != 32 {
		return nil, fmt.Errorf("store key %s: %d bytes instead of 32; restore it from a backup", path, len(key))
	}
	return key, nil
}

// writeOnce makes a file for root only, whole or not at all, and never
// overwrites one.
func writeOnce(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	tmp, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(data); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", path, err), tmp.Close())
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.Link(tmp.Name(), path); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	// What is encrypted with a key that is gone is gone too.
	if err := host.SyncDir(dir); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Htpasswd is the registry's user file. A hash that still fits is kept, so
// that the Secret changes only when a password does.
func Htpasswd(old string, users map[string]string, order []string) (string, error) {
	known := map[string]string{}
	for line := range strings.Lines(old) {
		name, hash, _ := strings.Cut(strings.TrimSpace(line), ":")
		known[name] = hash
	}
	var b strings.Builder
	for _, name := range order {
		hash := []byte(known[name])
		if bcrypt.CompareHashAndPassword(hash, []byte(users[name])) != nil {
			var err error
			if hash, err = bcrypt.GenerateFromPassword([]byte(users[name]), 8); err != nil {
				return "", fmt.Errorf("registry password of %s: %w", name, err)
			}
		}
		fmt.Fprintf(&b, "%s:%s\n", name, hash)
	}
	return b.String(), nil
}

// Derive makes a key for one purpose out of the store's key: always the same,
// and telling nothing of the other.
func Derive(key []byte, purpose string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("slipway " + purpose))
	return hex.EncodeToString(mac.Sum(nil))
}
