package store

import "context"

// WritersLock is the key of the lock that tests hold against the store.
const WritersLock = writersLock

// Setting reads a PostgreSQL setting of a connection that reads.
func (s *Store) Setting(ctx context.Context, name string) (value string, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT current_setting(?)`, name).Scan(&value)
	return value, err
}
