package drycc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
	"github.com/slipway-paas/slipway/platform/control"
)

// The versions every answer carries. Clients compare the API version's minor
// part as a string, so it may never become "2.10".
const (
	apiVersion      = "2.3"
	platformVersion = "2.3.0"
)

// Handler answers the Drycc API. Safe for concurrent use.
type Handler struct {
	core     Core
	router   router
	errors   map[platform.Code]errorRow
	sessions *sessions
	patience patience
	pods     http.RoundTripper // to file clients
	pages    *pages
}

var _ api.Dialect = (*Handler)(nil)

// New returns the dialect over core.
func New(core Core) *Handler {
	return &Handler{
		core: core, router: newRouter(routes()), errors: errorTable(), pods: podTransport(), pages: newPages(),
		sessions: newSessions(), patience: defaultPatience(),
	}
}

// request is one matched request on its way through a handler.
type request struct {
	*http.Request
	who    control.Actor
	params map[string]string   // the pattern's variables
	base   string              // "https://drycc.example.com", as the client sees us
	w      http.ResponseWriter // for what streams, and for headers
}

// answer is what a handler wants sent. The zero answer means that the handler
// has sent all itself. Body nil sends none; a plain is sent
// as it is; anything else as JSON.
type answer struct {
	status int
	body   any
}

// released is a body whose request made a release, which the header
// X-Drycc-Release names.
type released struct {
	body    any
	version int
}

// plain is a body that is not JSON.
type plain string

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w, r)
	found := h.router.match(r.URL.EscapedPath())
	if len(found.routes) == 0 {
		unknownURL(w)
		return
	}
	trace := api.TraceOf(r.Context())
	trace.Private = found.secret()
	trace.Route = found.routes[0].pattern
	if serve := found.routes[0].serve; serve != nil {
		trace.Route = found.routes[0].method + " " + trace.Route
		serve(h, w, &request{Request: r, params: found.params, base: baseURL(r)})
		return
	}
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", found.allow())
		w.WriteHeader(http.StatusOK)
		return
	}
	req := &request{Request: r, params: found.params, base: baseURL(r), w: w}
	if found.service() {
		if err := h.authenticateService(r); err != nil {
			h.Fail(w, r, err)
			return
		}
	} else if !found.open(r.Method) && !found.anonymous(r) {
		who, err := h.authenticate(r)
		if err != nil {
			h.Fail(w, r, err)
			return
		}
		req.who, trace.User = who, who.User.Username
	}
	rt, ok := found.method(r.Method)
	if !ok {
		w.Header().Set("Allow", found.allow())
		writeJSON(w, http.StatusMethodNotAllowed, detail{"Method \"" + r.Method + "\" not allowed."})
		return
	}
	trace.Route = rt.method + " " + rt.pattern
	a, err := rt.run(h, req)
	if err != nil {
		h.Fail(w, r, err)
		return
	}
	if a.status != 0 {
		write(w, a)
	}
}

// authenticate finds out who asks.
func (h *Handler) authenticate(r *http.Request) (control.Actor, error) {
	key, err := credentials(r.Header.Get("Authorization"))
	if err != nil {
		return control.Actor{}, err
	}
	return h.core.Authenticate(r.Context(), key)
}

// credentials takes the token out of an Authorization header.
func credentials(header string) (string, error) {
	words := strings.Fields(header)
	if len(words) == 0 || !strings.EqualFold(words[0], "token") && !strings.EqualFold(words[0], "bearer") {
		return "", platform.Errorf(platform.Unauthenticated, "Authentication credentials were not provided.")
	}
	switch len(words) {
	case 1:
		return "", platform.Errorf(platform.Unauthenticated, "Invalid token header. No credentials provided.")
	case 2:
		return words[1], nil
	default:
		return "", platform.Errorf(platform.Unauthenticated, "Invalid token header. Token string should not contain spaces.")
	}
}

// setHeaders puts on what every answer carries, refusals included. The names
// have underscores and capitals, so they are set past the canonical form.
func setHeaders(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head["DRYCC_API_VERSION"] = []string{apiVersion}
	head["DRYCC_PLATFORM_VERSION"] = []string{platformVersion}
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Cache-Control", "no-store") // answers hold config values and tokens
	if r.Header.Get("Origin") == "" {
		return
	}
	// Any origin may ask: credentials travel in a header that a page must know,
	// never in a cookie that a browser adds.
	head.Set("Access-Control-Allow-Origin", "*")
	head.Set("Access-Control-Expose-Headers", "DRYCC_API_VERSION, DRYCC_PLATFORM_VERSION")
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		head.Set("Access-Control-Allow-Methods", "DELETE, GET, OPTIONS, PATCH, POST, PUT")
		head.Set("Access-Control-Allow-Headers", "accept, authorization, content-type, user-agent, x-requested-with")
		head.Set("Access-Control-Max-Age", "86400")
	}
}

// baseURL is scheme and host as the client knows them.
func baseURL(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// unknownURL is the only answer that is a page: the API has no such path, so
// it is likely a person with a browser who asks.
func unknownURL(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte("<!doctype html>\n<html lang=\"en\">\n<head><title>Not Found</title></head>\n" +
		"<body>\n<h1>Not Found</h1>\n<p>The requested resource was not found on this server. The API begins at <a href=\"/v2/\">/v2/</a>.</p>\n</body>\n</html>\n"))
}

// write sends an answer.
func write(w http.ResponseWriter, a answer) {
	switch body := a.body.(type) {
	case nil:
		w.WriteHeader(a.status)
	case sender:
		body.send(w, a.status)
	case plain:
		if w.Header().Get("Content-Type") == "" {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		}
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(body)) // a client that went away is not our error
	case released:
		w.Header().Set("X-Drycc-Release", strconv.Itoa(body.version))
		writeJSON(w, a.status, body.body)
	default:
		writeJSON(w, a.status, body)
	}
}

// writeJSON sends a value. Wire types always encode, so the error can only be
// the client's leaving.
func writeJSON(w http.ResponseWriter, status int, body any) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body)
	w.Header().Set("Content-Type", "application/json")
	// The length spares net/http and the client the chunks.
	w.Header().Set("Content-Length", strconv.Itoa(text.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // a client that went away is not our error
}

// gone reports that the client hung up, so that nobody is there to answer and
// nothing is wrong with us.
func gone(r *http.Request, err error) bool {
	return errors.Is(err, context.Canceled) && r.Context().Err() != nil
}
