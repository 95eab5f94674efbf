//go:build !payload

package embedded

import "io/fs"

// Clients is nil: a binary without its payload carries no clients.
func Clients() fs.FS { return nil }
