//go:build payload

package embedded

import (
	"embed"
	"io/fs"
)

// The folder always has its README, so this compiles before `make client`.
//
//go:embed clients
var carriedClients embed.FS

// Clients is the folder with the client's archives and index.json, see
// scripts/client. Nil when this binary carries none.
func Clients() fs.FS {
	folder, err := fs.Sub(carriedClients, "clients")
	if err != nil {
		return nil
	}
	if _, err := fs.Stat(folder, "index.json"); err != nil {
		return nil
	}
	return folder
}
