//go:build !payload

package embedded

import "io/fs"

func payload() fs.FS { return nil }

func release() {}
