package drycc

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
)

// directVolumes carries out the directives of volumes and resources.
func (s *stage) directVolumes(words []string) bool {
	switch words[0] {
	case "offer": // the catalog has redis, and fixed, which can't be updated
		s.catalog.Offer(platform.ResourceService{ID: "id-of-redis", Name: "redis", Updateable: true},
			map[string]string{"REDIS_HOST": "redis.example.com", "REDIS_PASSWORD": "hunter2"},
			platform.ResourcePlan{ID: "id-of-128", Name: "standard-128", Description: "128 MiB"},
			platform.ResourcePlan{ID: "id-of-256", Name: "standard-256", Description: "256 MiB"})
		s.catalog.Offer(platform.ResourceService{ID: "id-of-fixed", Name: "fixed"}, nil,
			platform.ResourcePlan{ID: "id-of-one", Name: "one"}, platform.ResourcePlan{ID: "id-of-two", Name: "two"})
	case "unable": // unable <call> <words>: the catalog can't do the next one
		s.catalog.FailNext(words[1], platform.Errorf(platform.Unprocessable, "%s", strings.Join(words[2:], " ")))
	case "end-filer": // end-filer <app> <volume>
		s.cluster.EndFiler(words[1], words[2])
	default:
		return false
	}
	return true
}

// volumeShapes are the members of the objects of volumes and resources.
func volumeShapes() map[string]string {
	return map[string]string{
		"Volume":         "uuid app name size path type parameters created updated",
		"Resource":       "uuid owner app name plan data options status binding message created updated",
		"CatalogService": "id name updateable",
		"CatalogPlan":    "id name description",
		"Addon":          "uuid name app plan kind multiplier parameters created updated",
		"AddonClass":     "name updateable plans",

		`{"username", "password"}`:           "username password",
		`{"results": [AddonClass], "count"}`: "results count",
		`{variable: value}`:                  "REDIS_HOST REDIS_PASSWORD",
	}
}

// proxied is a stage with a volume whose filer is the handler.
func proxied(t *testing.T, filer http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := newStage(t)
	pod := httptest.NewServer(filer)
	t.Cleanup(pod.Close)
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	h, err := api.NewHandler(api.HandlerOptions{
		Mounts: []api.Mount{{Dialect: New(atAddress{s.core, pod.Listener.Addr().String()})}}, Logger: logger, MaxBody: 1000,
	})
	require.NoError(t, err)
	front := httptest.NewServer(h)
	t.Cleanup(front.Close)
	return front
}

// atAddress has every filer at one address.
type atAddress struct {
	Core
	address string
}

func (a atAddress) FilerAddress(context.Context, string, string) (string, error) {
	return a.address, nil
}

const filerRoot = "/v2/apps/hello/volumes/data/filer/webdav"

func ask(t *testing.T, method, url string, body io.Reader, change func(*http.Request)) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	r.SetBasicAuth("writer", "secret")
	if change != nil {
		change(r)
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, response.Body.Close()) })
	return response
}

// The filer gets requests as the client sent them, under the client's names.
func TestFilerSeesTheRequest(t *testing.T) {
	var got *http.Request
	front := proxied(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.Header().Set("DAV", "1, 2")
		w.WriteHeader(http.StatusMultiStatus)
	})
	host := strings.TrimPrefix(front.URL, "http://")
	for _, tc := range []struct{ method, path, destination, want string }{
		{"PROPFIND", "", "", ""},
		{"PROPFIND", "/", "", ""},
		{"OPTIONS", "/", "", ""},
		{"MKCOL", "/a/b%20c/", "", ""},
		{"MOVE", "/a%2Fb", front.URL + filerRoot + "/to%20here", filerRoot + "/to%20here"},
		{"COPY", "/a", filerRoot + "/b", filerRoot + "/b"},
		{"MOVE", "/a", "https://" + host + filerRoot + "/b", filerRoot + "/b"},
		{"LOCK", "/a", "", ""},
	} {
		response := ask(t, tc.method, front.URL+filerRoot+tc.path, nil, func(r *http.Request) {
			r.Header.Set("Depth", "1")
			r.Header.Set("Cookie", "session=1")
			if tc.destination != "" {
				r.Header.Set("Destination", tc.destination)
			}
		})
		require.Equal(t, http.StatusMultiStatus, response.StatusCode, tc)
		assert.Equal(t, "1, 2", response.Header.Get("DAV"))
		assert.Equal(t, "sandbox", response.Header.Get("Content-Security-Policy"))
		assert.Equal(t, tc.method, got.Method)
		assert.Equal(t, filerRoot+tc.path, got.URL.EscapedPath())
		assert.Equal(t, host, got.Host, "tagged lists and destinations name it")
		assert.Equal(t, "1", got.Header.Get("Depth"))
		assert.Equal(t, tc.want, got.Header.Get("Destination"))
		assert.Empty(t, got.Header.Get("Cookie"))
		_, password, _ := got.BasicAuth()
		assert.Equal(t, "secret", password)
	}
	got = nil
	for _, elsewhere := range []string{
		"http://other.example.com" + filerRoot + "/b", front.URL + "/v2/apps/hello/volumes/other/filer/webdav/b", "/b", filerRoot + "-b", "::",
	} {
		response := ask(t, "MOVE", front.URL+filerRoot+"/a", nil, func(r *http.Request) { r.Header.Set("Destination", elsewhere) })
		assert.Equal(t, http.StatusBadGateway, response.StatusCode, elsewhere)
	}
	assert.Nil(t, got, "none was passed on")
}

// Bodies flow both ways as they come, whatever the limit of other requests.
func TestFilerStreams(t *testing.T) {
	arrived := make(chan string, 1)
	front := proxied(t, func(w http.ResponseWriter, r *http.Request) {
		first := make([]byte, 5)
		_, err := io.ReadFull(r.Body, first)
		assert.NoError(t, err)
		arrived <- string(first)
		rest, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Len(t, rest, 1<<20)
		_, _ = io.WriteString(w, "begun")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	body, feed := io.Pipe()
	go func() {
		_, err := feed.Write([]byte("first"))
		assert.NoError(t, err)
		assert.Equal(t, "first", <-arrived, "before the rest is sent")
		_, err = feed.Write(bytes.Repeat([]byte("x"), 1<<20))
		assert.NoError(t, err)
		assert.NoError(t, feed.Close())
	}()
	response := ask(t, "PUT", front.URL+filerRoot+"/large", body, nil)
	begun := make([]byte, 5)
	_, err := io.ReadFull(response.Body, begun)
	require.NoError(t, err, "although the answer is not done")
	assert.Equal(t, "begun", string(begun))
}

func TestFilerThatIsAway(t *testing.T) {
	front := proxied(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	response := ask(t, "GET", front.URL+filerRoot+"/a", nil, nil)
	assert.Equal(t, http.StatusBadGateway, response.StatusCode)
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.JSONEq(t, `{"detail": "The file client of this volume does not answer; bind it again."}`, string(raw))

	h := New(nil)
	for err, want := range map[error]int{context.DeadlineExceeded: 504, io.ErrUnexpectedEOF: 502} {
		w := httptest.NewRecorder()
		h.filerGone(w, httptest.NewRequest("GET", filerRoot, nil), err)
		assert.Equal(t, want, w.Code)
	}
	gone, cancel := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer cancel()
	w := httptest.NewRecorder()
	h.filerGone(w, httptest.NewRequest("GET", filerRoot, nil).WithContext(gone), io.EOF)
	assert.Equal(t, statusGone, w.Code)
}
