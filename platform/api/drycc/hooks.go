package drycc

import (
	"net/http"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// serviceKeyHeader is where builders put the service key; it may also come as
// a bearer token.
const serviceKeyHeader = "X-Drycc-Service-Key"

// authenticateService checks that one of the platform's own parts asks.
func (h *Handler) authenticateService(r *http.Request) error {
	key := r.Header.Get(serviceKeyHeader)
	if key == "" {
		// Whatever is wrong with the header, the answer is the same.
		key, _ = credentials(r.Header.Get("Authorization"))
	}
	return h.core.AuthenticateService(key)
}

// pusherWire is who pushes with a key.
type pusherWire struct {
	Username string   `json:"username"`
	Apps     []string `json:"apps"`
}

func (h *Handler) findPusher(r *request) (answer, error) {
	p, err := h.core.FindPusher(r.Context(), r.params["fingerprint"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, pusherWire{p.Username, listOrEmpty(p.Apps)}}, nil
}

// appKeyWire is a key as the builder compares it.
type appKeyWire struct {
	Key         string `json:"key"`
	Fingerprint string `json:"fingerprint"`
}

func (h *Handler) appKeys(r *request) (answer, error) {
	keys, err := h.core.AppKeys(r.Context(), r.params["app"], r.params["username"])
	if err != nil {
		return answer{}, err
	}
	out := map[string][]appKeyWire{}
	for _, k := range keys {
		out[k.Owner] = append(out[k.Owner], appKeyWire{k.Public, k.Fingerprint})
	}
	return answer{http.StatusOK, out}, nil
}

// receive says who pushed to which app.
type receive struct {
	User string `json:"receive_user"`
	Repo string `json:"receive_repo"`
}

func (p receive) check() error {
	switch {
	case p.User == "":
		return platform.FieldErrorf("receive_user", "This field is required.")
	case p.Repo == "":
		return platform.FieldErrorf("receive_repo", "This field is required.")
	}
	return nil
}

func (h *Handler) pushConfig(r *request) (answer, error) {
	body, err := decode[receive](r)
	if err != nil {
		return answer{}, err
	}
	if err := body.check(); err != nil {
		return answer{}, err
	}
	c, err := h.core.PushConfig(r.Context(), body.User, body.Repo)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toConfig(c)}, nil
}

// pushRequest is a build that the builder made.
type pushRequest struct {
	receive
	buildRequest
}

func (h *Handler) push(r *request) (answer, error) {
	body, err := decode[pushRequest](r)
	if err != nil {
		return answer{}, err
	}
	if err := body.check(); err != nil {
		return answer{}, err
	}
	n, err := body.build()
	if err != nil {
		return answer{}, err
	}
	rel, err := h.core.Push(r.Context(), body.User, body.Repo, n)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, map[string]any{"release": map[string]int{"version": rel.Version}}}, nil
}

// alertRequest is what monitoring found.
type alertRequest struct {
	Workspace string          `json:"workspace"`
	Alerts    []control.Alert `json:"alerts"`
}

func (h *Handler) alert(r *request) (answer, error) {
	body, err := decode[alertRequest](r)
	if err != nil {
		return answer{}, err
	}
	if err := h.core.Alert(r.Context(), body.Workspace, body.Alerts); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}
