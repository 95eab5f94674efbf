// Package download gives out the developer's client: a script that installs it
// and the programs for every system, as the appliance carries them.
//
//	/install-cli.sh                  curl -sfL http://drycc.<domain>/install-cli.sh | bash
//	/cli/version                     the client's version
//	/cli/drycc-<os>-<arch>[.exe]     a program
//	/cli/drycc-<os>-<arch>.sha256    its sha256 and name, as sha256sum writes them
//
// The programs of an architecture lie in one archive, because they share most
// of their bytes; a download reads it up to the program. Nothing here needs
// credentials or changes anything.
package download

import (
	"archive/tar"
	_ "embed" // for the script
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
)

//go:embed install-cli.sh
var installScript string

const (
	// ScriptPath and Prefix are the paths that the handler answers.
	ScriptPath = "/install-cli.sh"
	Prefix     = "/cli/"

	maxWindow = 64 << 20
	// atOnce bounds the memory: each download holds a window of its archive.
	atOnce = 4
)

// index is index.json of the folder with the archives.
type index struct {
	Version string          `json:"version"`
	Files   map[string]file `json:"files"`
}

type file struct {
	Archive string `json:"archive"`
	SHA256  string `json:"sha256"`
	Size    int64  `json:"size"`
}

// Handler answers the paths above. Safe for concurrent use.
type Handler struct {
	files fs.FS
	index index
	slots chan struct{}
}

var _ api.Dialect = (*Handler)(nil)

// New reads the index of the folder with the archives. A nil folder is one
// without programs: the script then says that there are none.
func New(files fs.FS) (*Handler, error) {
	h := &Handler{files: files, slots: make(chan struct{}, atOnce)}
	if files == nil {
		return h, nil
	}
	raw, err := fs.ReadFile(files, "index.json")
	if err == nil {
		err = json.Unmarshal(raw, &h.index)
	}
	if err != nil {
		return nil, fmt.Errorf("client programs: %w", err)
	}
	return h, nil
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	trace := api.TraceOf(r.Context())
	name, program := strings.CutPrefix(r.URL.Path, Prefix)
	trace.Route = "GET " + ScriptPath
	if program {
		trace.Route = "GET " + Prefix + "{file}"
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET is allowed here", http.StatusMethodNotAllowed)
		return
	}
	switch {
	case r.URL.Path == ScriptPath:
		text(w, "text/x-shellscript; charset=utf-8", strings.ReplaceAll(installScript, "@CONTROLLER@", address(r)))
	case name == "version" && h.index.Version != "":
		text(w, "text/plain; charset=utf-8", h.index.Version+"\n")
	case strings.HasSuffix(name, ".sha256") && h.has(strings.TrimSuffix(name, ".sha256")):
		name = strings.TrimSuffix(name, ".sha256")
		text(w, "text/plain; charset=utf-8", h.index.Files[name].SHA256+"  "+name+"\n")
	case h.has(name):
		if err := h.serve(w, r, name); err != nil {
			trace.Err = err
			panic(http.ErrAbortHandler) // what was sent is not the whole program
		}
	default:
		http.NotFound(w, r)
	}
}

func (h *Handler) has(name string) bool {
	_, ok := h.index.Files[name]
	return ok
}

// Fail answers with err's text.
func (h *Handler) Fail(w http.ResponseWriter, _ *http.Request, err error) {
	status := http.StatusInternalServerError
	if platform.CodeOf(err) == platform.Throttled {
		status = http.StatusTooManyRequests
	}
	http.Error(w, err.Error(), status)
}

func text(w http.ResponseWriter, kind, body string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = io.WriteString(w, body) // a client that went away is not our error
}

// address is how the request reached the controller. It goes into a script
// that is run: only what can be in a host name stays.
func address(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]"
	host := strings.Map(func(c rune) rune {
		if strings.ContainsRune(letters, c) {
			return c
		}
		return -1
	}, r.Host)
	return scheme + "://" + host
}

// serve writes a program. An error means that only a part of it was written.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, name string) error {
	f := h.index.Files[name]
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", "attachment; filename="+strconv.Quote(name))
	w.Header().Set("Content-Length", strconv.FormatInt(f.Size, 10))
	w.Header().Set("ETag", strconv.Quote(f.SHA256))
	if r.Header.Get("If-None-Match") == strconv.Quote(f.SHA256) {
		w.Header().Del("Content-Length")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if r.Method == http.MethodHead {
		return nil
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-r.Context().Done():
		return nil
	}
	archive, err := h.files.Open(f.Archive)
	if err != nil {
		return fmt.Errorf("client program %s: %w", name, err)
	}
	defer archive.Close()
	decoder, err := zstd.NewReader(archive, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return fmt.Errorf("client program %s: %w", name, err)
	}
	defer decoder.Close()
	members := tar.NewReader(decoder)
	for {
		header, err := members.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("client program %s: it is not in %s", name, f.Archive)
		}
		if err != nil {
			return fmt.Errorf("client program %s: %w", name, err)
		}
		if header.Name != name {
			continue
		}
		if _, err := io.Copy(w, members); err != nil && r.Context().Err() == nil {
			return fmt.Errorf("client program %s: %w", name, err)
		}
		return nil
	}
}
