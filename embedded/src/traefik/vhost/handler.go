package vhost

import (
	"net/http"

	"github.com/traefik/traefik/v3/pkg/middlewares/requestdecorator"
)

// Handler hands requests to what their host has.
type Handler struct {
	byHost map[string]http.Handler
	others http.Handler
}

// NewHandler builds a handler for each group, of which Split makes at least one.
// A group whose handler is nil is answered with 404.
func NewHandler(groups []Group, build func(routers []string) http.Handler) *Handler {
	h := &Handler{byHost: map[string]http.Handler{}}
	for _, g := range groups {
		built := build(g.Routers)
		if built == nil {
			built = http.NotFoundHandler()
		}
		if g.Hosts == nil {
			h.others = built
		}
		for _, host := range g.Hosts {
			h.byHost[host] = built
		}
	}
	return h
}

// ServeHTTP looks the host up that Traefik, too, would compare rules with.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := requestdecorator.GetCanonizedHost(r.Context())
	if handler, ok := h.byHost[Canonical(host)]; ok {
		handler.ServeHTTP(w, r)
		return
	}
	h.others.ServeHTTP(w, r)
}
