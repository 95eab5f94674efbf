package kube

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/labels"
)

type object = map[string]any

// apiServer is an API server in memory, as far as this package uses one: it
// speaks JSON over real HTTP, numbers revisions, serves lists and watches,
// and keeps what was applied apart from what was patched, so that an apply
// drops fields it no longer names and leaves those of others.
type apiServer struct {
	t    *testing.T
	http *httptest.Server

	mu       sync.Mutex
	wake     *sync.Cond
	revision int
	oldest   int                // watches from before this get 410
	records  map[string]*record // by path
	history  []change
	requests []string // "PATCH /apis/…"
	fail     func(r *http.Request) int
	hang     func(r *http.Request) bool
	broken   int // how often all watches were cut
	logs     map[string]string
	special  func(w http.ResponseWriter, r *http.Request) bool // answers what is no object

	// after is called without the lock when an object was written by a
	// request; it plays the controllers.
	after func(path string, obj object)
}

type record struct {
	applied, patched, server object
	final                    object
}

type change struct {
	revision int
	kind     string // ADDED, MODIFIED, DELETED
	path     string
	object   object
}

func newAPIServer(t *testing.T) *apiServer {
	s := &apiServer{t: t, records: map[string]*record{}, logs: map[string]string{}, after: func(string, object) {}}
	s.wake = sync.NewCond(&s.mu)
	s.http = httptest.NewServer(s)
	t.Cleanup(func() {
		s.http.CloseClientConnections()
		s.http.Close()
	})
	return s
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if r.URL.Query().Get("watch") == "" {
		s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	}
	fail, hang := s.fail, s.hang
	s.mu.Unlock()
	if hang != nil && hang(r) {
		<-r.Context().Done()
		return
	}
	if fail != nil {
		if code := fail(r); code != 0 {
			writeStatus(w, code)
			return
		}
	}
	switch {
	case s.special != nil && s.special(w, r):
	case r.URL.Query().Get("watch") != "":
		s.watch(w, r)
	case strings.HasSuffix(r.URL.Path, "/log"):
		s.mu.Lock()
		defer s.mu.Unlock()
		_, _ = io.WriteString(w, s.logs[r.URL.Query().Get("previous")])
	case r.Method == http.MethodPatch:
		s.patch(w, r)
	case r.Method == http.MethodDelete:
		s.delete(w, r)
	default:
		s.get(w, r)
	}
}

func (s *apiServer) get(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	collection, name := split(r.URL.Path)
	if name != "" {
		rec, ok := s.records[r.URL.Path]
		if !ok {
			writeStatus(w, http.StatusNotFound)
			return
		}
		writeJSON(w, rec.final)
		return
	}
	apiVersion, kind := kindOf(collection[strings.LastIndex(collection, "/")+1:])
	items := []object{}
	for _, path := range slices.Sorted(keysOf(s.records)) {
		if c, _ := split(path); c == collection && selected(r.URL.Query(), s.records[path].final) {
			items = append(items, s.records[path].final)
		}
	}
	writeJSON(w, object{"apiVersion": apiVersion, "kind": kind + "List",
		"metadata": object{"resourceVersion": strconv.Itoa(s.revision)}, "items": items})
}

func keysOf[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func selected(q url.Values, obj object) bool {
	meta, _ := obj["metadata"].(object)
	set := labels.Set{}
	if l, ok := meta["labels"].(object); ok {
		for k, v := range l {
			set[k] = v.(string)
		}
	}
	selector, err := labels.Parse(q.Get("labelSelector"))
	if err != nil || !selector.Matches(set) {
		return false
	}
	for _, f := range strings.Split(q.Get("fieldSelector"), ",") {
		if name, ok := strings.CutPrefix(f, "metadata.name="); ok && meta["name"] != name {
			return false
		}
		if name, ok := strings.CutPrefix(f, "involvedObject.name="); ok && obj["involvedObject"].(object)["name"] != name {
			return false
		}
	}
	return true
}

func (s *apiServer) watch(w http.ResponseWriter, r *http.Request) {
	collection, _ := split(r.URL.Path)
	from, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	stop := make(chan struct{})
	defer close(stop)
	go func() { // a client that leaves wakes the loop below
		select {
		case <-r.Context().Done():
		case <-stop:
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.wake.Broadcast()
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if from < s.oldest {
		_ = json.NewEncoder(w).Encode(object{"type": "ERROR", "object": object{"apiVersion": "v1", "kind": "Status",
			"status": "Failure", "reason": "Expired", "code": 410, "message": "too old"}})
		return
	}
	generation := s.broken
	for i := 0; ; {
		for ; i < len(s.history); i++ {
			c := s.history[i]
			if in, _ := split(c.path); c.revision > from && in == collection && selected(r.URL.Query(), c.object) {
				_ = json.NewEncoder(w).Encode(object{"type": c.kind, "object": c.object})
			}
		}
		w.(http.Flusher).Flush()
		if r.Context().Err() != nil || s.broken != generation {
			return
		}
		s.wake.Wait()
	}
}

// cut ends all watches; with forget they cannot be taken up where they were.
func (s *apiServer) cut(forget bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken++
	if forget {
		s.revision++
		s.oldest = s.revision
	}
	s.wake.Broadcast()
}

func (s *apiServer) patch(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	var body object
	if err := json.Unmarshal(raw, &body); err != nil {
		writeStatus(w, http.StatusBadRequest)
		return
	}
	path := strings.TrimSuffix(r.URL.Path, "/scale")
	isApply := strings.Contains(r.Header.Get("Content-Type"), "apply-patch")
	if manager := r.URL.Query().Get("fieldManager"); isApply && manager != fieldManager {
		isApply = false // kept apart from what our own applies say
	}
	s.mu.Lock()
	rec := s.records[path]
	if rec == nil && !isApply {
		s.mu.Unlock()
		writeStatus(w, http.StatusNotFound)
		return
	}
	if rec == nil {
		rec = &record{patched: object{}, server: object{"metadata": object{
			"uid": "uid-" + strconv.Itoa(s.revision), "creationTimestamp": time.Now().UTC().Format(time.RFC3339)}}}
	}
	if immutable, _ := rec.final["immutable"].(bool); immutable && isApply && !reflect.DeepEqual(rec.applied["data"], body["data"]) {
		s.mu.Unlock()
		writeStatus(w, http.StatusUnprocessableEntity)
		return
	}
	if isApply {
		rec.applied = body
		rec.patched = without(rec.patched, body)
	} else {
		rec.patched = merge(rec.patched, body)
	}
	final := s.write(path, rec)
	s.mu.Unlock()
	writeJSON(w, final)
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	s.after(path, final)
}

// ownReplicas reports whether what was applied is what says the replicas: the
// one field whose owner matters here.
func ownReplicas(rec *record) bool {
	applied, _ := rec.applied["spec"].(object)
	patched, _ := rec.patched["spec"].(object)
	return applied["replicas"] != nil && patched["replicas"] == nil
}

// write computes the object and tells the watches. The lock is held.
func (s *apiServer) write(path string, rec *record) object {
	before := rec.final
	final := merge(merge(rec.server, rec.applied), rec.patched)
	meta := final["metadata"].(object)
	if ownReplicas(rec) {
		meta["managedFields"] = []any{object{"manager": fieldManager, "operation": "Apply", "fieldsV1": object{"f:spec": object{"f:replicas": object{}}}}}
	}
	generation := 1.0
	kind := "ADDED"
	if before != nil {
		kind = "MODIFIED"
		old := before["metadata"].(object)
		generation, _ = old["generation"].(float64)
		if !reflect.DeepEqual(before["spec"], final["spec"]) {
			generation++
		}
		meta["generation"], meta["resourceVersion"] = generation, old["resourceVersion"]
		if reflect.DeepEqual(before, final) {
			return final // as a real one, nothing happens
		}
	}
	s.revision++
	meta["generation"], meta["resourceVersion"] = generation, strconv.Itoa(s.revision)
	rec.final = final
	s.records[path] = rec
	s.history = append(s.history, change{s.revision, kind, path, final})
	s.wake.Broadcast()
	return final
}

func (s *apiServer) delete(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	collection, name := split(r.URL.Path)
	if _, ok := s.records[r.URL.Path]; name != "" && !ok {
		s.mu.Unlock()
		writeStatus(w, http.StatusNotFound)
		return
	}
	if strings.HasSuffix(collection, "/namespaces") && name != "" {
		rec := s.records[r.URL.Path]
		rec.server = merge(rec.server, object{"metadata": object{"deletionTimestamp": time.Now().UTC().Format(time.RFC3339)}})
		final := s.write(r.URL.Path, rec)
		s.mu.Unlock()
		writeJSON(w, final)
		s.after(r.URL.Path, final)
		return
	}
	for _, path := range slices.Sorted(keysOf(s.records)) {
		c, _ := split(path)
		if path == r.URL.Path || name == "" && c == collection && selected(r.URL.Query(), s.records[path].final) {
			s.remove(path)
		}
	}
	s.mu.Unlock()
	writeJSON(w, object{"apiVersion": "v1", "kind": "Status", "status": "Success"})
}

// remove forgets an object. The lock is held.
func (s *apiServer) remove(path string) {
	s.revision++
	s.history = append(s.history, change{s.revision, "DELETED", path, s.records[path].final})
	delete(s.records, path)
	s.wake.Broadcast()
}

func (s *apiServer) drop(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.records[path]; ok {
		s.remove(path)
	}
}

// put writes what a controller would: any object, status included.
func (s *apiServer) put(path string, obj any) {
	raw, err := json.Marshal(obj)
	require.NoError(s.t, err)
	var body object
	require.NoError(s.t, json.Unmarshal(raw, &body))
	collection, name := split(path)
	body["apiVersion"], body["kind"] = kindOf(collection[strings.LastIndex(collection, "/")+1:])
	scrub(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.records[path]
	if rec == nil {
		rec = &record{applied: object{}, patched: object{}, server: object{}}
		body = merge(body, object{"metadata": object{"name": name, "uid": "uid-" + name}})
		if parts := strings.Split(collection, "/"); len(parts) > 2 && parts[len(parts)-3] == "namespaces" {
			body = merge(body, object{"metadata": object{"namespace": parts[len(parts)-2]}})
		}
	}
	rec.server = merge(rec.server, body)
	s.write(path, rec)
}

func (s *apiServer) find(path string) (object, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec, ok := s.records[path]
	if !ok {
		return nil, false
	}
	return rec.final, true
}

func (s *apiServer) names(collection string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, path := range slices.Sorted(keysOf(s.records)) {
		if c, name := split(path); c == collection {
			out = append(out, name)
		}
	}
	return out
}

func (s *apiServer) set(change func(*apiServer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}
