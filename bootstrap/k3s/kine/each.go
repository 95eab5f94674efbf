package kine

import (
	"context"
	"database/sql"
)

// Each calls f with every key that is present and its value, in the order in
// which they were last written. What ends by itself after a time (events, the
// addresses of API servers) is left out: whoever wrote it writes it again.
func Each(ctx context.Context, file string, f func(key string, value []byte) error) error {
	return with(file, "ro", func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, `SELECT k.name, k.value FROM kine AS k
			JOIN (SELECT MAX(id) AS id FROM kine GROUP BY name) AS latest ON latest.id = k.id
			WHERE k.deleted = 0 AND k.name LIKE '/registry/%' AND COALESCE(k.lease, 0) = 0 ORDER BY k.id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var key string
			var value []byte
			if err := rows.Scan(&key, &value); err != nil {
				return err
			}
			if err := f(key, value); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}
