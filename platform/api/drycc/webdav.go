package drycc

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/platform/api"
)

// podTransport reaches pods. They are never behind the proxy that the node may
// use for the internet.
func podTransport() http.RoundTripper {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, ExpectContinueTimeout: time.Second,
		DisableCompression: true, // what the pod sends goes out as it is
	}
}

// serveFiler passes a WebDAV request on to the filer of a volume, which asks
// for its own password. It knows the same paths and host name as the client,
// so that what it answers fits. Nothing is gathered: files of any size flow
// through, for as long as they take.
func (h *Handler) serveFiler(w http.ResponseWriter, r *request) {
	if _, _, ok := r.BasicAuth(); !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="volume"`)
		writeJSON(w, http.StatusUnauthorized, detail{"The files of a volume are open to the user and password that binding gave."})
		return
	}
	address, err := h.core.FilerAddress(r.Context(), r.params["app"], r.params["volume"])
	switch {
	case err != nil:
		h.Fail(w, r.Request, err)
		return
	case address == "":
		writeJSON(w, http.StatusPreconditionRequired, detail{"No file client is bound to this volume; bind it first."})
		return
	}
	destination, ok := destinationOf(r)
	if !ok {
		writeJSON(w, http.StatusBadGateway, detail{"The Destination is not in this volume."})
		return
	}
	// The listener's deadlines are for requests that fit into memory.
	timing := http.NewResponseController(w)
	_ = timing.SetReadDeadline(time.Time{}) // a connection that can't do it keeps its own
	_ = timing.SetWriteDeadline(time.Time{})
	// Files come from the app's users: a browser may show them, and not run
	// them as a part of this site.
	w.Header().Set("Content-Security-Policy", "sandbox")
	proxy := &httputil.ReverseProxy{
		Transport: h.pods, FlushInterval: -1,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = "http", address
			p.Out.Host = p.In.Host
			p.Out.Header.Del("Cookie")
			if body := api.TraceOf(r.Context()).Body; body != nil && p.Out.Body != nil {
				p.Out.Body = body // the one without a limit
			}
			if destination != "" {
				p.Out.Header.Set("Destination", destination)
			}
		},
		ErrorHandler: h.filerGone,
	}
	proxy.ServeHTTP(w, r.Request)
}

// destinationOf is the path that a COPY or MOVE goes to, empty for all other
// requests; false when it is on another host or outside the volume.
func destinationOf(r *request) (string, bool) {
	given := r.Header.Get("Destination")
	if given == "" {
		return "", true
	}
	u, err := url.Parse(given)
	if err != nil || u.Host != "" && !strings.EqualFold(u.Host, r.Host) {
		return "", false
	}
	prefix := filerPrefix(r)
	return u.EscapedPath(), u.Path == prefix || strings.HasPrefix(u.Path, prefix+"/")
}

// filerGone answers for a filer that does not.
func (h *Handler) filerGone(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		w.WriteHeader(statusGone)
		return
	}
	status, message := http.StatusBadGateway, "The file client of this volume does not answer; bind it again."
	var late net.Error
	if errors.As(err, &late) && late.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		status, message = http.StatusGatewayTimeout, "The file client of this volume takes too long to answer; try again."
	}
	writeJSON(w, status, detail{message})
}
