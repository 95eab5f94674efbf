package api

import (
	"net"
	"net/http"
	"slices"
	"strings"
)

// Moved is a platform that had other domains before.
type Moved struct {
	Domain string   // of now
	Former []string // of before
	Keep   []string // labels right below a former domain that are served as before: the API's
}

// target is where a name below a former domain is now: the same host below the
// present one, with the request's port, path and query. Empty for other hosts.
// Authorities that ask a name back are not sent on.
func (m Moved) target(r *http.Request) string {
	host, port := strings.ToLower(r.Host), ""
	if name, p, err := net.SplitHostPort(host); err == nil {
		host, port = name, ":"+p
	}
	host = strings.TrimSuffix(host, ".")
	if strings.HasPrefix(r.URL.Path, "/.well-known/") {
		return ""
	}
	for _, former := range m.Former {
		label, below := strings.CutSuffix(host, "."+former)
		if !below || label == "" || slices.Contains(m.Keep, label) || host == m.Domain || strings.HasSuffix(host, "."+m.Domain) {
			continue
		}
		scheme := "http"
		if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
			scheme = "https"
		}
		return scheme + "://" + label + "." + m.Domain + port + r.URL.RequestURI()
	}
	return ""
}
