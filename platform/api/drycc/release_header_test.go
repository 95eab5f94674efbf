package drycc

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The guide's clients read from a header which release a change has made.
func TestReleaseHeader(t *testing.T) {
	s := newStage(t)
	for _, step := range []struct{ path, body, release string }{
		{"", `{"id": "hello"}`, ""},
		{"hello/build/", `{"image": "slipway.internal/hello:1"}`, "2"},
		{"hello/config/", `{"values": {"A": "b"}}`, "3"},
		{"hello/builds/", `{"image": "slipway.internal/hello:1"}`, "4"},
		{"hello/settings/", `{"routable": false}`, ""},
	} {
		w := s.send("adalove", http.MethodPost, "/v2/apps/"+step.path, step.body)
		assert.Equal(t, http.StatusCreated, w.Code, step.path)
		assert.Equal(t, step.release, w.Header().Get("X-Drycc-Release"), step.path)
		s.settle()
	}
	w := s.send("adalove", http.MethodGet, "/v2/apps/hello/build/", "")
	assert.Empty(t, w.Header().Get("X-Drycc-Release"), "nothing was made")
}
