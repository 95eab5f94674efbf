package checkup

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/host"
)

// The kubelet deletes images above 85 percent and evicts pods below 5 percent
// of free room, or of inodes.
const (
	roomWarning = 15 // percent free
	roomError   = 7
)

func checkDiskUse(_ context.Context, e *env) ([]doctor.Finding, error) {
	var found []doctor.Finding
	seen := map[host.Disk]bool{}
	for _, path := range []string{e.opts.DataDir, e.opts.Controller, "/var/log", "/"} {
		d, err := e.host.Disk(path)
		if err != nil {
			return nil, err
		}
		if seen[d] {
			continue
		}
		seen[d] = true
		found = append(found, room("disk space", path, doctor.Size(d.Free), doctor.Size(d.Total), d.Free, d.Total)...)
		found = append(found, room("inodes", path, fmt.Sprint(d.InodesFree), fmt.Sprint(d.Inodes), d.InodesFree, d.Inodes)...)
	}
	return found, nil
}

// room judges what is free of a total; 0 in all means that there is no limit.
func room(what, path, free, total string, left, all uint64) []doctor.Finding {
	if all == 0 || left >= all/100*roomWarning {
		return nil
	}
	f := doctor.Finding{Severity: doctor.Warning, Title: "little " + what + " is left", Evidence: fmt.Sprintf("%s of %s free for %s", free, total, path),
		Reason: "below 15 % images of apps are deleted and pulled again, below 5 % pods are evicted",
		Cure:   "look what is large: du -xh --max-depth=2 " + path + " | sort -h | tail; delete unused volumes of apps, or use a larger disk"}
	if left < all/100*roomError {
		f.Severity, f.Title = doctor.Error, "hardly any "+what+" is left"
	}
	return []doctor.Finding{f}
}

// Databases are worth mending when they have grown well past what is in them.
const (
	freeLeast = 64 << 20  // bytes of free pages
	freePart  = 2         // at least one half of the file
	walMost   = 256 << 20 // bytes of the write-ahead log
	kineMost  = 2 << 30   // bytes of live data of the cluster: SQLite gets slow
)

// liteSize is what a SQLite file's header and its log tell.
type liteSize struct{ file, free, wal uint64 }

// litePages reads sizes without opening the database: the header has the size of
// a page (offset 16), their number (28) and how many are free (36). In the server
// nothing is read, and no page counts as free.
func litePages(e *env, path string) (liteSize, error) {
	info, err := e.host.Stat(path)
	if err != nil {
		return liteSize{}, err
	}
	s := liteSize{file: uint64(info.Size)}
	if wal, err := e.host.Stat(path + "-wal"); err == nil {
		s.wal = uint64(wal.Size)
	}
	if e.opts.InServer {
		return s, nil
	}
	header, err := e.host.ReadStart(path, 100)
	if err != nil {
		return liteSize{}, err
	}
	if len(header) < 40 || string(header[:15]) != "SQLite format 3" {
		return s, fmt.Errorf("%s is not a SQLite database", path)
	}
	page := uint64(binary.BigEndian.Uint16(header[16:]))
	if page == 1 {
		page = 1 << 16
	}
	s.free = page * uint64(binary.BigEndian.Uint32(header[36:]))
	return s, nil
}

func (s liteSize) String() string {
	return fmt.Sprintf("%s, %s of it free pages; log %s", doctor.Size(s.file), doctor.Size(s.free), doctor.Size(s.wal))
}

func (s liteSize) bloated() bool {
	return (s.free >= freeLeast && s.free*freePart >= s.file) || s.wal >= walMost
}

func checkClusterDatabase(_ context.Context, e *env) ([]doctor.Finding, error) {
	path := filepath.Join(e.opts.DataDir, "server", "db", "state.db")
	s, err := litePages(e, path)
	if isAbsent(err) {
		return nil, nil // etcd, or a database elsewhere
	}
	if err != nil {
		return nil, err
	}
	switch {
	case s.bloated():
		f := doctor.Finding{Severity: doctor.Warning, Title: "the cluster's database is much larger than what is in it", Evidence: path + ": " + s.String(),
			Reason: "it takes room, and reads get slower", Cure: "restart the service: it compacts the database before Kubernetes starts, and apps go on meanwhile"}
		if svc := e.opts.Service; svc != nil {
			f.Fix = &doctor.Fix{Change: "restart the service, which compacts the database first (apps go on; a minute without API)",
				Do: func(ctx context.Context, _ doctor.Changer) error { return svc.Start(ctx) }}
		}
		return doctor.One(f)
	case s.file-min(s.free, s.file) >= kineMost:
		return doctor.One(doctor.Finding{Severity: doctor.Warning, Title: "the cluster's database is large", Evidence: path + ": " + s.String(),
			Reason: "SQLite answers slowly at this size, and Kubernetes with it",
			Cure:   "look what fills it: slipway kubectl get events,secrets,configmaps -A | cut -d' ' -f1 | sort | uniq -c; or move to etcd by joining servers"})
	}
	return nil, nil
}

// checkControllerDatabase finds what the running server can mend by itself.
func checkControllerDatabase(_ context.Context, e *env) ([]doctor.Finding, error) {
	path := filepath.Join(e.opts.Controller, "slipway.db")
	s, err := litePages(e, path)
	if isAbsent(err) {
		return nil, nil // PostgreSQL
	}
	if err != nil || !s.bloated() {
		return nil, err
	}
	return doctor.One(doctor.Finding{Severity: doctor.Warning, Title: "the controller's database is much larger than what is in it", Evidence: path + ": " + s.String(),
		Reason: "it takes room, and backups of it too", Cure: "slipway doctor --fix, while the server runs",
		Fix: &doctor.Fix{Change: "compact the controller's database (API calls wait meanwhile)", Server: true}})
}
