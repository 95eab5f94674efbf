package platformtest

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// filer is a running filer: a server over files in memory.
type filer struct {
	control.Filer
	server *httptest.Server
	pings  int

	mu    sync.Mutex
	files map[string]string
}

// Volumes returns the storage of an app's volumes: the size of each.
func (c *Cluster) Volumes(app string) map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.volumes[app])
}

// Close ends the filers.
func (c *Cluster) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, f := range c.filers {
		f.server.Close()
		delete(c.filers, key)
	}
}

// EndFiler ends the filer of a volume, as its idle time does.
func (c *Cluster) EndFiler(app, volume string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endFiler(app, volume)
}

func (c *Cluster) endFiler(app, volume string) {
	if f := c.filers[app+"/"+volume]; f != nil {
		f.server.Close()
		delete(c.filers, app+"/"+volume)
	}
}

// EnsureVolume makes storage, or lets it grow.
func (c *Cluster) EnsureVolume(ctx context.Context, a platform.App, v platform.Volume) error {
	return c.do(ctx, Call{Name: "EnsureVolume", App: a.ID}, func() error {
		if c.apps[a.ID] == nil {
			return platform.Errorf(platform.NotFound, "namespace %s not found", a.ID)
		}
		c.grow(a.ID, v)
		return nil
	})
}

func (c *Cluster) grow(app string, v platform.Volume) {
	if c.volumes[app] == nil {
		c.volumes[app] = map[string]string{}
	}
	c.volumes[app][v.Name] = v.Size
}

// checkMounts makes storage that was lost, and refuses to run what mounts
// storage that nobody told of.
func (c *Cluster) checkMounts(d control.Deployment) error {
	for _, v := range d.Volumes {
		c.grow(d.App.ID, v)
	}
	for _, p := range d.Processes {
		for _, m := range p.Mounts {
			if c.volumes[d.App.ID][m.Volume] == "" {
				return &control.RolloutError{Ptype: p.Ptype, Kind: "Unschedulable", Reason: "there is no volume " + m.Volume}
			}
		}
	}
	return nil
}

// RemoveVolume drops storage. What still mounts it keeps it.
func (c *Cluster) RemoveVolume(ctx context.Context, app string, v platform.Volume) error {
	return c.do(ctx, Call{Name: "RemoveVolume", App: app}, func() error {
		for ptype, r := range c.apps[app] {
			for _, m := range r.Mounts {
				if m.Volume == v.Name {
					return platform.Errorf(platform.Unavailable, "volume %s is used by %s", v.Name, ptype)
				}
			}
		}
		c.endFiler(app, v.Name)
		delete(c.volumes[app], v.Name)
		return nil
	})
}

// StartFiler serves a volume at a real address.
func (c *Cluster) StartFiler(_ context.Context, a platform.App, f control.Filer) (control.Filer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, Call{Name: "StartFiler", App: a.ID})
	if err := c.errors["StartFiler"]; err != nil {
		return control.Filer{}, err
	}
	key := a.ID + "/" + f.Volume.Name
	if c.filers[key] == nil {
		running := &filer{Filer: f, files: map[string]string{}}
		running.server = httptest.NewServer(running)
		c.filers[key] = running
	}
	return c.filers[key].Filer, nil
}

// FindFiler says where the filer of a volume listens.
func (c *Cluster) FindFiler(_ context.Context, app, volume string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.filers[app+"/"+volume]
	if f == nil || c.errors["FindFiler"] != nil {
		return "", c.errors["FindFiler"]
	}
	return f.server.Listener.Addr().(*net.TCPAddr).String(), nil
}

// PingFiler counts.
func (c *Cluster) PingFiler(_ context.Context, app, volume string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.filers[app+"/"+volume]
	if f == nil {
		return platform.Errorf(platform.NotFound, "no filer serves %s", volume)
	}
	f.pings++
	return c.errors["PingFiler"]
}

// ServeHTTP is as much of WebDAV as a test of what lies before it needs.
func (f *filer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, password, _ := r.BasicAuth()
	writes := name == control.FilerWriter && password == f.Writer
	if !writes && (name != control.FilerReader || password != f.Reader) {
		w.Header().Set("WWW-Authenticate", `Basic realm="volume"`)
		http.Error(w, "wrong password", http.StatusUnauthorized)
		return
	}
	file, ok := strings.CutPrefix(r.URL.Path, f.Prefix+"/")
	if !ok {
		http.Error(w, "not below the prefix: "+r.URL.Path, http.StatusNotFound)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	text, there := f.files[file]
	switch {
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", "OPTIONS, PROPFIND, MOVE")
		w.Header().Set("DAV", "1, 2")
	case r.Method == http.MethodPut && writes:
		body, _ := io.ReadAll(r.Body) // a short upload is an empty file
		f.files[file] = string(body)
		w.WriteHeader(http.StatusCreated)
	case r.Method == "MOVE" && writes && there:
		to, _ := strings.CutPrefix(r.Header.Get("Destination"), f.Prefix+"/")
		f.files[to] = text
		delete(f.files, file)
		w.WriteHeader(http.StatusCreated)
	case r.Method == "PROPFIND":
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = io.WriteString(w, "<href>"+r.URL.EscapedPath()+"</href>")
	case r.Method == http.MethodGet && there:
		_, _ = io.WriteString(w, text)
	default:
		http.Error(w, "no", http.StatusForbidden)
	}
}
