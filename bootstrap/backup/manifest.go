package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"maps"
	"slices"
	"strings"
)

// The names of the first and the last entry.
const (
	manifestName = "manifest.json"
	trailerName  = "trailer.json"
)

// maxDocument bounds what is read into memory at once.
const maxDocument = 16 << 20

// Manifest is the first entry: what a backup is of.
type Manifest struct {
	Format     int      `json:"format"` // as in the first line
	Header     Header   `json:"header"`
	Kubernetes string   `json:"kubernetes,omitempty"`
	Domain     string   `json:"domain"`
	Node       string   `json:"node"`
	Database   string   `json:"database"` // "sqlite" or "postgres", where the records were
	Apps       []string `json:"apps"`
	Images     []string `json:"images"` // in the registry, of releases that can be gone back to
	// Missing are images of releases that the registry had no more.
	Missing []string `json:"missing,omitempty"`
	// Elsewhere are volumes whose data is not on this host, each with where it
	// is: "hello/media (nfs)".
	Elsewhere []string `json:"elsewhere,omitempty"`
	Metrics   bool     `json:"metrics,omitempty"`
	Paused    bool     `json:"paused,omitempty"` // apps with volumes were stopped meanwhile
	Bytes     int64    `json:"bytes"`            // of all files, as counted before
}

// Trailer is the last entry: what has to have come before it.
type Trailer struct {
	Entries  int64              `json:"entries"`
	Bytes    int64              `json:"bytes"` // of contents
	Sections map[string]Section `json:"sections"`
	// Notes tell of files that changed while they were read.
	Notes []string `json:"notes,omitempty"`
}

// Section sums up the entries of one part: the first element of their names,
// and the second too below "volumes".
type Section struct {
	Entries int64  `json:"entries"`
	Bytes   int64  `json:"bytes"`
	Sum     string `json:"sha256"` // of the sums of all entries in their order
}

// sectionOf is the section of an entry's name.
func sectionOf(name string) string {
	first, rest, _ := strings.Cut(strings.TrimSuffix(name, "/"), "/")
	if first == "volumes" && rest != "" {
		second, _, _ := strings.Cut(rest, "/")
		return first + "/" + second
	}
	return first
}

// tally sums entries up, for the trailer, while they are written or read.
type tally struct {
	entries, bytes int64
	sections       map[string]*running
	content        hash.Hash // of the entry under way
	current        *running
}

type running struct {
	entries, bytes int64
	sum            hash.Hash
}

func newTally() *tally { return &tally{sections: map[string]*running{}} }

// begin starts an entry.
func (t *tally) begin(h *tar.Header) error {
	name := sectionOf(h.Name)
	s := t.sections[name]
	if s == nil {
		s = &running{sum: sha256.New()}
		t.sections[name] = s
	}
	t.current, t.content = s, sha256.New()
	t.entries++
	s.entries++
	line, err := json.Marshal(describe(h))
	if err != nil {
		return err
	}
	t.content.Write(append(line, '\n'))
	return nil
}

// add counts contents of the entry.
func (t *tally) add(p []byte) {
	t.content.Write(p)
	t.bytes += int64(len(p))
	t.current.bytes += int64(len(p))
}

// end finishes the entry.
func (t *tally) end() {
	if t.content != nil {
		t.current.sum.Write(t.content.Sum(nil))
		t.content = nil
	}
}

func (t *tally) trailer() Trailer {
	out := Trailer{Entries: t.entries, Bytes: t.bytes, Sections: map[string]Section{}}
	for name, s := range t.sections {
		out.Sections[name] = Section{Entries: s.entries, Bytes: s.bytes, Sum: hex.EncodeToString(s.sum.Sum(nil))}
	}
	return out
}

// equal reports whether two trailers tell of the same entries.
func (t Trailer) equal(other Trailer) bool {
	return t.Entries == other.Entries && t.Bytes == other.Bytes && maps.Equal(t.Sections, other.Sections)
}

// described is what of an entry's header counts for its sum.
type described struct {
	Name, Link   []byte
	Type         byte
	Mode         int64
	UID, GID     int
	Size         int64
	Modified     int64 // nanoseconds
	Major, Minor int64
	Records      [][2][]byte // attributes and holes
}

func describe(h *tar.Header) described {
	d := described{
		Name: []byte(h.Name), Link: []byte(h.Linkname), Type: h.Typeflag, Mode: h.Mode, UID: h.Uid, GID: h.Gid,
		Size: h.Size, Modified: h.ModTime.UnixNano(), Major: h.Devmajor, Minor: h.Devminor,
	}
	for _, key := range slices.Sorted(maps.Keys(h.PAXRecords)) {
		if strings.HasPrefix(key, xattrPrefix) || strings.HasPrefix(key, ownPrefix) {
			d.Records = append(d.Records, [2][]byte{[]byte(key), []byte(h.PAXRecords[key])})
		}
	}
	return d
}
