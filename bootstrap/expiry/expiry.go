// Package expiry knows when the certificates of a node end and when to start
// again because of it: k3s renews those with less than 120 days left when it
// starts, and never while it runs. It reads files and decides; it changes
// nothing.
package expiry

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// soon is when a start is due, in a quiet hour. It is well below the 120
	// days at which k3s renews, and leaves weeks to people where it goes wrong.
	soon = 90 * 24 * time.Hour
	// urgent is when a start is due at any hour.
	urgent = 14 * 24 * time.Hour
	// patience is the time between two starts for this reason: one that renewed
	// nothing is not made better by more of them.
	patience = 20 * time.Hour
	// quietFrom and quietUntil are hours of the host's own clock.
	quietFrom, quietUntil = 3, 5
)

// Leaf is a certificate that is not an authority's.
type Leaf struct {
	Path     string
	Subject  string
	NotAfter time.Time
}

// Folders are where k3s keeps certificates below its data folder.
func Folders(dataDir string) []string {
	server := filepath.Join(dataDir, "server", "tls")
	return []string{
		server, filepath.Join(server, "etcd"), filepath.Join(server, "kube-controller-manager"), filepath.Join(server, "kube-scheduler"),
		filepath.Join(dataDir, "agent"),
	}
}

// Scan reads the leaf certificates in folders, not those below. A folder that
// does not exist has none. What is no certificate is skipped; a .crt file
// without any is an error, told beside what was found.
func Scan(folders ...string) (leaves []Leaf, err error) {
	var errs []error
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("certificates: %w", err)
		}
		for _, e := range entries {
			if e.IsDir() || !strings.HasSuffix(e.Name(), ".crt") {
				continue
			}
			leaf, err := read(filepath.Join(folder, e.Name()))
			if err != nil {
				errs = append(errs, err)
			} else if leaf != nil {
				leaves = append(leaves, *leaf)
			}
		}
	}
	return leaves, errors.Join(errs...)
}

// read returns the first certificate of a file, nil when it is an authority's.
func read(path string) (*Leaf, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil, fmt.Errorf("certificate %s: there is none in it", path)
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %s: %w", path, err)
		}
		if c.IsCA {
			return nil, nil
		}
		return &Leaf{Path: path, Subject: c.Subject.CommonName, NotAfter: c.NotAfter}, nil
	}
}

// First is the leaf that ends first; false when there is none.
func First(leaves []Leaf) (first Leaf, ok bool) {
	for i, l := range leaves {
		if i == 0 || l.NotAfter.Before(first.NotAfter) {
			first = l
		}
	}
	return first, len(leaves) > 0
}

// Due says whether a server that was started at some time is to start again now
// for the sake of a certificate that ends at some time.
func Due(end, started, now time.Time) bool {
	left := end.Sub(now)
	switch {
	case left >= soon || now.Sub(started) < patience:
		return false
	case left < urgent:
		return true
	}
	hour := now.Hour()
	return hour >= quietFrom && hour < quietUntil
}
