package embedded

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// DiskFullError says that the disk which holds Dir has too little room.
type DiskFullError struct {
	Dir  string
	Need int64 // bytes still to be written; 0 when not known
	Free int64 // bytes an ordinary write may still take
}

func (e *DiskFullError) Error() string {
	const mb = 1 << 20
	if e.Need == 0 {
		return fmt.Sprintf("the disk that holds %s is full: free some space there and run the command again", e.Dir)
	}
	return fmt.Sprintf("the disk that holds %s is full: %d MB are needed, %d MB are free; free some space there and run the command again",
		e.Dir, (e.Need+mb-1)/mb, e.Free/mb)
}

// Unwrap makes errors.Is(err, ENOSPC) true.
func (e *DiskFullError) Unwrap() error { return unix.ENOSPC }

// explain turns the system's "no space" into an error that names the disk.
func (r *room) explain(err error, need int64) error {
	if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
		return err
	}
	full := &DiskFullError{Dir: r.dir, Need: need}
	var stat unix.Statfs_t
	if unix.Statfs(r.dir, &stat) == nil {
		full.Free = free(stat)
	}
	return full
}

func free(stat unix.Statfs_t) int64 { return int64(stat.Bavail) * stat.Bsize }

// checkSpace compares what each room needs with what its disk has; rooms on
// one disk share it.
func checkSpace(need map[*room]int64) error {
	total := map[unix.Fsid]int64{}
	for r, bytes := range need {
		var stat unix.Statfs_t
		if err := unix.Statfs(r.dir, &stat); err != nil {
			return fmt.Errorf("free space of %s: %w", r.dir, err)
		}
		total[stat.Fsid] += bytes
		if sum := total[stat.Fsid]; sum > free(stat) {
			return &DiskFullError{Dir: r.dir, Need: sum, Free: free(stat)}
		}
	}
	return nil
}
