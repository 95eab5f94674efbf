package platformtest

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Where SQLite locks while a database with a log is open: in the database, and
// in the file of shared memory beside it.
const (
	liteShared, liteSharedSize = 0x40000002, 510
	liteAlive                  = 128
)

// WatchLocks looks whether this process still has SQLite's locks on a database
// that it has open. They are the process's and not of the file that was opened:
// whoever opens and closes the same file, for whatever reason, ends them, and the
// next other process that closes the database takes its log away.
//
// It has files open of its own until the test ends, and says what it sees
// without closing any.
func WatchLocks(t testing.TB, database string) (held func() bool) {
	t.Helper()
	var files []*os.File
	for _, name := range []string{database, database + "-shm"} {
		f, err := os.Open(name)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, f.Close()) })
		files = append(files, f)
	}
	return func() bool {
		return locked(t, files[0], liteShared, liteSharedSize) && locked(t, files[1], liteAlive, 1)
	}
}

// locked asks for a lock that stands against every other, also this process's.
func locked(t testing.TB, f *os.File, start, size int64) bool {
	t.Helper()
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: start, Len: size}
	require.NoError(t, unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &lock))
	return lock.Type != unix.F_UNLCK
}
