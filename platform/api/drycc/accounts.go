package drycc

import (
	"net/http"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
)

// index lists the collections.
func (h *Handler) index(r *request) (answer, error) {
	out := map[string]string{}
	for _, name := range []string{"apps", "keys", "tokens", "workspaces"} {
		out[name] = r.base + "/v2/" + name + "/"
	}
	return answer{http.StatusOK, out}, nil
}

// healthz answers as long as the process does.
func (h *Handler) healthz(*request) (answer, error) {
	return answer{http.StatusOK, plain("OK")}, nil
}

// readiness answers whether requests can be served.
func (h *Handler) readiness(r *request) (answer, error) {
	if err := h.core.Ready(r.Context()); err != nil {
		api.TraceOf(r.Context()).Err = err
		return answer{http.StatusServiceUnavailable, detail{"The controller is not ready yet."}}, nil
	}
	return answer{http.StatusOK, plain("OK")}, nil
}

// loginRequest is a login with a password.
type loginRequest struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// grantError is how a refused login is told; clients print it as it is.
type grantError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// login checks a password and answers the key under which the token waits.
// Without one it sends the client to the login page.
func (h *Handler) login(r *request) (answer, error) {
	body, err := decode[loginRequest](r)
	if err != nil {
		return answer{}, err
	}
	if body == (loginRequest{}) {
		return h.openLogin(r)
	}
	if body.Username == "" || body.Password == "" {
		return answer{}, platform.Errorf(platform.Invalid, "Send both username and password, or neither to log in with a browser.")
	}
	key, err := h.core.BeginLogin(r.Context(), body.Username, body.Password, api.TraceOf(r.Context()).Remote)
	if platform.CodeOf(err) == platform.Unauthenticated {
		return answer{http.StatusBadRequest, grantError{"invalid_grant", "Invalid credentials given."}}, nil
	}
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, map[string]string{"key": key}}, nil
}

// newTokenWire is the only answer that holds a whole token.
type newTokenWire struct {
	UUID     string `json:"uuid"`
	Token    string `json:"token"`
	Username string `json:"username"`
}

// pickUpToken hands the token of a finished login over, once.
func (h *Handler) pickUpToken(r *request) (answer, error) {
	key, t, u, err := h.core.FinishLogin(r.Context(), r.params["key"], r.URL.Query().Get("alias"))
	if platform.CodeOf(err) == platform.NotFound {
		return answer{status: http.StatusNotFound}, nil // clients poll until it is something else
	}
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, newTokenWire{t.UUID, key, u.Username}}, nil
}

func (h *Handler) whoami(r *request) (answer, error) {
	return answer{http.StatusOK, toUser(r.who.User)}, nil
}

func (h *Handler) listTokens(r *request) (answer, error) {
	items, total, err := h.core.ListTokens(r.Context(), r.who, r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toToken), nil
}

func (h *Handler) findToken(r *request) (answer, error) {
	t, err := h.core.FindToken(r.Context(), r.who, r.params["uuid"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toToken(t)}, nil
}

func (h *Handler) deleteToken(r *request) (answer, error) {
	if err := h.core.DeleteToken(r.Context(), r.who, r.params["uuid"]); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func (h *Handler) listWorkspaces(r *request) (answer, error) {
	items, total, err := h.core.ListWorkspaces(r.Context(), r.who, r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toWorkspace), nil
}

func (h *Handler) findWorkspace(r *request) (answer, error) {
	w, err := h.core.FindWorkspace(r.Context(), r.who, r.params["workspace"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toWorkspace(w)}, nil
}
