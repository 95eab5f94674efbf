package store

import (
	"bytes"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A dump of each earlier schema is loaded, and brought to the present one.
func TestLoadOldSchemas(t *testing.T) {
	t.Parallel()
	known, err := embeddedMigrations()
	require.NoError(t, err)
	for i := range known {
		t.Run(known[i].name, func(t *testing.T) {
			t.Parallel()
			old := filepath.Join(t.TempDir(), "old.db")
			require.NoError(t, makeFile(old))
			db := sql.OpenDB(liteConnector{liteDSN(old, false)})
			require.NoError(t, migrate(t.Context(), db, sqliteSQL, known[:i+1]))
			_, err := db.ExecContext(t.Context(), `INSERT INTO users (username, password_hash, date_joined, email) VALUES ('alice', 'x', 7, CAST(X'ff00' AS TEXT))`)
			require.NoError(t, err)
			require.NoError(t, db.Close())

			var text bytes.Buffer
			s, err := OpenSnapshot(t.Context(), old)
			require.NoError(t, err)
			_, err = s.Dump(t.Context(), &text)
			require.NoError(t, err)
			_, err = s.Inventory(t.Context(), make([]byte, KeySize))
			require.NoError(t, err)
			require.NoError(t, s.Close())

			kept := filepath.Join(t.TempDir(), "kept.db")
			_, err = Load(t.Context(), kept, bytes.NewReader(text.Bytes()), LoadOptions{KeepSchema: true})
			require.NoError(t, err)
			pending, err := Pending(t.Context(), kept)
			require.NoError(t, err)
			require.Len(t, pending, len(known)-i-1, "it is what the older program can read")

			moved := filepath.Join(t.TempDir(), "new.db")
			_, err = Load(t.Context(), moved, &text, LoadOptions{})
			require.NoError(t, err)
			now, err := Open(t.Context(), moved, make([]byte, KeySize))
			require.NoError(t, err)
			var email []byte
			require.NoError(t, now.read.QueryRowContext(t.Context(), `SELECT CAST(email AS BLOB) FROM users`).Scan(&email))
			require.Equal(t, []byte{0xff, 0}, email)
			require.NoError(t, now.Close())
		})
	}
}
