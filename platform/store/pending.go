package store

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Pending lists the migrations that Open would apply to the database at
// location, by name; none for one that does not exist, which Open makes. It
// changes nothing. A database that a newer program wrote is an error.
func Pending(ctx context.Context, location string) (names []string, err error) {
	s, err := OpenSnapshot(ctx, location)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	known, err := embeddedMigrations()
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	for _, m := range known[len(s.applied):] {
		names = append(names, m.name)
	}
	return names, nil
}
