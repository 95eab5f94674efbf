package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := New(Options{URL: server.URL + "/", Token: "secret", UserAgent: "test"})
	require.NoError(t, err)
	return c
}

func TestErrorsInWords(t *testing.T) {
	for name, tc := range map[string]struct {
		status     int
		body, want string
	}{
		"no token":         {401, `{"detail":"Invalid token."}`, "unauthorized: missing or invalid token"},
		"forbidden":        {403, `{"detail":"You do not have permission to perform this action."}`, "you do not have permission to perform this action"},
		"forbidden, why":   {403, `{"detail":"Cannot delete workspace with more than one member"}`, "you do not have permission to perform this action: Cannot delete workspace with more than one member"},
		"not found":        {404, `{"error":{"code":"NOT_FOUND","message":"No App matches the given query."}}`, "No App matches the given query."},
		"page":             {404, "<html>no</html>", "not found"},
		"method":           {405, `{"detail":"x"}`, "method not allowed"},
		"conflict":         {409, `{"detail":"ada changed nothing - release stopped"}`, "this action could not be completed due to a conflict: ada changed nothing - release stopped"},
		"unset":            {422, `{"detail":"x does not exist under tags"}`, "unable to process your request: x does not exist under tags"},
		"internal":         {500, `{"error":{"code":"INTERNAL_ERROR","message":"An internal error occurred"}}`, "internal server error"},
		"other":            {418, `{"detail":"tea"}`, "unknown error (418): tea"},
		"gateway":          {502, "<html>", "unknown error (502): Bad Gateway"},
		"name taken":       {400, `{"id":["Application with this id already exists."]}`, "the application name is already in use"},
		"domain":           {400, `{"domain":["Hostname does not look valid."]}`, "the domain is not valid"},
		"certificate":      {400, `{"certificate":["Could not load certificate: x"]}`, "the certificate is not valid: x"},
		"domain, why":      {400, `{"domain":["Hostname does not look valid, could not convert to ACE: y"]}`, "the domain is not valid: could not convert to ACE: y"},
		"fields":           {400, `{"size":["too small"],"name":["bad","worse"]}`, "name: bad worse\nsize: too small"},
		"whole":            {400, `{"non_field_errors":["both"]}`, "both"},
		"detail":           {400, `{"detail":"no build available, please deploy a release"}`, "no build available, please deploy a release"},
		"list":             {400, `["workspace is required"]`, "workspace is required"},
		"model":            {400, `{"error":{"code":"VALIDATION_ERROR","message":"Validation failed","details":{"ports":["port is occupied"]}}}`, "ports: port is occupied"},
		"wrong password":   {400, `{"error":"invalid_grant","error_description":"Invalid credentials given."}`, "Invalid credentials given."},
		"nothing":          {400, ``, "the request is not valid"},
		"redirect of POST": {302, ``, "the controller is at another address: https://elsewhere.example.com/v2/apps/"},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "https://elsewhere.example.com/v2/apps/")
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body)
			})
			_, err := c.CreateApp(t.Context(), "x", "")
			require.EqualError(t, err, tc.want)
			assert.Equal(t, tc.status, StatusOf(err))
		})
	}
}

func TestListsAreReadToTheirEnd(t *testing.T) {
	var asked []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		page := Page[App]{Count: 250}
		for i := offset; i < min(offset+limit, 250); i++ {
			page.Results = append(page.Results, App{ID: fmt.Sprint(i)})
		}
		_ = json.NewEncoder(w).Encode(page)
	})
	all, err := c.Apps(t.Context(), "", "", 0)
	require.NoError(t, err)
	assert.Len(t, all.Results, 250)
	assert.Equal(t, "249", all.Results[249].ID)
	assert.Equal(t, []string{"limit=100", "limit=100&offset=100", "limit=100&offset=200"}, asked)
	some, err := c.Apps(t.Context(), "", "", 120)
	require.NoError(t, err)
	assert.Len(t, some.Results, 120)
	assert.Equal(t, 250, some.Count)
}

func TestVersions(t *testing.T) {
	for version, fits := range map[string]bool{"2.3": true, "2.10": true, "2.2": false, "3.3": false, "2": false, "": false, "2.x": false} {
		assert.Equal(t, fits, compatible(version), version)
	}
	var warned []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["DRYCC_API_VERSION"] = []string{"1.9"}
	}))
	defer server.Close()
	c, err := New(Options{URL: server.URL, OnMismatch: func(v string) { warned = append(warned, v) }})
	require.NoError(t, err)
	require.NoError(t, c.Restart(t.Context(), "a", nil))
	require.NoError(t, c.Restart(t.Context(), "a", nil))
	assert.Equal(t, []string{"1.9"}, warned, "once")
}

func TestAThrottledCallIsMadeAgain(t *testing.T) {
	calls := 0
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		assert.JSONEq(t, `{"web": 2}`, string(body), "each time whole")
		if calls++; calls == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	require.NoError(t, c.Scale(t.Context(), "a", map[string]int{"web": 2}))
	assert.Equal(t, 2, calls)
}

func TestAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"drycc.example.com": "http://drycc.example.com", "https://drycc.example.com:8443/": "https://drycc.example.com:8443",
		"http://u:p@h/x?y#z": "http://h/x",
	} {
		c, err := New(Options{URL: in})
		require.NoError(t, err)
		assert.Equal(t, want, c.URL())
	}
	for _, bad := range []string{"", "ftp://x", "http://", "://"} {
		_, err := New(Options{URL: bad})
		assert.Error(t, err, bad)
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	for insecure, fits := range map[bool]bool{false: false, true: true} {
		c, err := New(Options{URL: server.URL, Insecure: insecure})
		require.NoError(t, err)
		assert.Equal(t, fits, c.Restart(t.Context(), "a", nil) == nil)
	}
}

func TestASecretInThePathStaysOutOfErrors(t *testing.T) {
	c, err := New(Options{URL: "http://127.0.0.1:1"})
	require.NoError(t, err)
	_, _, err = c.PickUp(t.Context(), "hunter2", "x")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "hunter2")
}

// socket answers one websocket.
func socket(t *testing.T, h func(*websocket.Conn)) *Client {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "token secret", r.Header.Get("Authorization"))
		conn, err := (&websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}).Upgrade(w, r, nil)
		if !assert.NoError(t, err) {
			return
		}
		defer conn.Close()
		h(conn)
		_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
		_, _, _ = conn.ReadMessage()
	})
}

func TestLogs(t *testing.T) {
	c := socket(t, func(conn *websocket.Conn) {
		var first map[string]any
		assert.NoError(t, conn.ReadJSON(&first))
		assert.Equal(t, map[string]any{"lines": 3.0, "follow": true, "container": "", "previous": false}, first)
		assert.NoError(t, conn.WriteMessage(websocket.TextMessage, []byte("one\n")))
		assert.NoError(t, conn.WriteMessage(websocket.TextMessage, []byte("two\n")))
	})
	var out bytes.Buffer
	require.NoError(t, c.Logs(t.Context(), "a", "a-web-1", LogOptions{Lines: 3, Follow: true}, &out))
	assert.Equal(t, "one\ntwo\n", out.String())
}

func TestACommandEndsAsItEnds(t *testing.T) {
	for final, want := range map[string]struct {
		code int
		err  string
	}{
		`{"status":"Success"}`: {0, ""},
		`{"status":"Failure","message":"exit 3","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}`: {3, ""},
		`{"status":"Failure","message":"no such file"}`:                                                      {0, "no such file"},
		``: {0, ""},
	} {
		c := socket(t, func(conn *websocket.Conn) {
			_, first, err := conn.ReadMessage()
			assert.NoError(t, err)
			assert.JSONEq(t, `{"tty":true,"stdin":true,"command":["sh","-c","x"]}`, string(first))
			seen := map[string]bool{}
			for len(seen) < 3 {
				_, frame, err := conn.ReadMessage()
				if !assert.NoError(t, err) {
					return
				}
				seen[string(frame)] = true
			}
			assert.Equal(t, map[string]bool{"\x00hello": true, "\xff\x00": true, "\x04" + `{"Height":24,"Width":80}`: true}, seen)
			assert.NoError(t, conn.WriteMessage(websocket.BinaryMessage, []byte("\x01out")))
			assert.NoError(t, conn.WriteMessage(websocket.BinaryMessage, []byte("\x02err")))
			if final != "" {
				assert.NoError(t, conn.WriteMessage(websocket.BinaryMessage, []byte("\x03"+final)))
			}
		})
		sizes := make(chan Size, 1)
		sizes <- Size{Height: 24, Width: 80}
		var out, err bytes.Buffer
		code, failure := c.Exec(t.Context(), "a", "p", Terminal{Command: []string{"sh", "-c", "x"}, TTY: true,
			Stdin: strings.NewReader("hello"), Stdout: &out, Stderr: &err, Resize: sizes})
		if want.err == "" {
			require.NoError(t, failure, final)
		} else {
			require.EqualError(t, failure, want.err)
		}
		assert.Equal(t, want.code, code)
		assert.Equal(t, "out", out.String())
		assert.Equal(t, "err", err.String())
	}
}

func TestARefusedSocketSaysWhy(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"detail":"You do not have permission to perform this action."}`)
	})
	err := c.Logs(t.Context(), "a", "p", LogOptions{}, io.Discard)
	assert.Equal(t, http.StatusForbidden, StatusOf(err))
}

func TestAFollowedLogEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := socket(t, func(conn *websocket.Conn) {
		_, _, _ = conn.ReadMessage()
		cancel()
		_, _, err := conn.ReadMessage()
		assert.Error(t, err)
	})
	assert.ErrorIs(t, c.Logs(ctx, "a", "p", LogOptions{Follow: true}, io.Discard), context.Canceled)
}

func TestFilerListsAndNames(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/bind") {
			_, _ = io.WriteString(w, `{"username":"u","password":"p"}`)
			return
		}
		user, password, _ := r.BasicAuth()
		assert.Equal(t, "u:p", user+":"+password)
		assert.Equal(t, "PROPFIND", r.Method)
		w.WriteHeader(http.StatusMultiStatus)
		fmt.Fprintf(w, `<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">
<D:response><D:href>%s</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop></D:propstat></D:response>
<D:response><D:href>%sa%%20b.txt</D:href><D:propstat><D:prop><D:resourcetype/><D:getcontentlength>5</D:getcontentlength>
<D:getlastmodified>Fri, 02 Jan 2026 03:04:05 GMT</D:getlastmodified></D:prop></D:propstat></D:response></D:multistatus>`, r.URL.EscapedPath(), r.URL.EscapedPath())
	})
	filer, err := c.BindFiler(t.Context(), "a", "vol")
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(filer.URL, "/v2/apps/a/volumes/vol/filer/webdav/"))
	files, single, err := filer.List(t.Context(), "")
	require.NoError(t, err)
	assert.False(t, single)
	assert.Equal(t, []FileInfo{{Name: "a b.txt", Size: 5, Modified: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}, files)
	assert.Equal(t, "/v2/apps/a/volumes/vol/filer/webdav/etc/x%3F", filer.address("../../etc/x?"))
}
