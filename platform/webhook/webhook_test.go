package webhook_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform/webhook"
)

func TestPost(t *testing.T) {
	t.Parallel()
	seen := make(chan *http.Request, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Empty(t, body)
		seen <- r
		w.WriteHeader(http.StatusAccepted)
	}))
	defer srv.Close()
	status, err := webhook.New().Post(t.Context(), srv.URL+"/hook?a=b%20c", "0abc")
	require.NoError(t, err)
	assert.Equal(t, http.StatusAccepted, status)
	r := <-seen
	assert.Equal(t, "POST", r.Method)
	assert.Equal(t, "/hook?a=b%20c", r.RequestURI)
	assert.Equal(t, "0abc", r.Header.Get("Authorization"))
	assert.Equal(t, int64(0), r.ContentLength)

	_, err = webhook.New().Post(t.Context(), srv.URL, "")
	require.NoError(t, err)
	assert.NotContains(t, (<-seen).Header, "Authorization")
}

// A redirect is answered to the caller; the signature goes nowhere else.
func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the redirect was followed")
	}))
	defer other.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		srv := httptest.NewServer(http.RedirectHandler(other.URL, code))
		status, err := webhook.New().Post(t.Context(), srv.URL, "secret")
		srv.Close()
		require.NoError(t, err)
		assert.Equal(t, code, status)
	}
}

func TestErrorsDoNotNameTheAddress(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	gone := srv.URL
	srv.Close()
	for _, address := range []string{gone + "/s3cret?token=s3cret", "http://%zz/s3cret", "ftp://s3cret"} {
		_, err := webhook.New().Post(t.Context(), address, "s3cret")
		require.Error(t, err, address)
		assert.NotContains(t, err.Error(), "s3cret")
	}
}

// A receiver that never answers costs a bounded time.
func TestDeadline(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer srv.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := webhook.New().Post(ctx, srv.URL+"/s3cret", "")
	require.EqualError(t, err, "timed out")
}

// An answer without end is not read to the end.
func TestEndlessAnswer(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chunk := []byte(strings.Repeat("x", 32<<10))
		for r.Context().Err() == nil {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer srv.Close()
	status, err := webhook.New().Post(t.Context(), srv.URL, "")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)
}
