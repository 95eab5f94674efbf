package drycc

import (
	"encoding/json"
	"net/http"

	"github.com/slipway-paas/slipway/platform/api"
	"github.com/slipway-paas/slipway/platform/control"
)

// registerRequest is a new account.
type registerRequest struct {
	Username  string `json:"username"`
	Password  string `json:"password"`
	Email     string `json:"email"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

func (h *Handler) register(r *request) (answer, error) {
	body, err := decode[registerRequest](r)
	if err != nil {
		return answer{}, err
	}
	u, err := h.core.Register(r.Context(), r.who, control.NewUser(body), r.remote())
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, toUser(u)}, nil
}

// remote is the client's address.
func (r *request) remote() string { return api.TraceOf(r.Context()).Remote }

// userRequest names a user.
type userRequest struct {
	Username string `json:"username"`
}

func (h *Handler) cancel(r *request) (answer, error) {
	body, err := decode[userRequest](r)
	if err != nil {
		return answer{}, err
	}
	if err := h.core.CancelUser(r.Context(), r.who, body.Username); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// passwordRequest is a change of a password.
type passwordRequest struct {
	Username    string `json:"username"`
	Password    string `json:"password"`
	NewPassword string `json:"new_password"`
}

func (h *Handler) changePassword(r *request) (answer, error) {
	body, err := decode[passwordRequest](r)
	if err != nil {
		return answer{}, err
	}
	ch := control.PasswordChange{Username: body.Username, Old: body.Password, New: body.NewPassword}
	if err := h.core.ChangePassword(r.Context(), r.who, ch, r.remote()); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK}, nil
}

// renewRequest says which tokens to make useless.
type renewRequest struct {
	Username string          `json:"username"`
	All      json.RawMessage `json:"all"`
}

func (h *Handler) renewTokens(r *request) (answer, error) {
	body, err := decode[renewRequest](r)
	if err != nil {
		return answer{}, err
	}
	var all switched
	if err := decodeMember("all", body.All, &all); err != nil {
		return answer{}, err
	}
	key, err := h.core.RenewTokens(r.Context(), r.who, control.Renewal{Username: body.Username, All: bool(all)})
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, map[string]string{"token": key}}, nil
}

// exchangeRequest is a set of OAuth tokens. Those that prove nothing are read
// and left alone.
type exchangeRequest struct {
	AccessToken  string `json:"access_token"`
	IDToken      string `json:"id_token"`
	ExpiresIn    any    `json:"expires_in"`
	TokenType    string `json:"token_type"`
	Scope        string `json:"scope"`
	RefreshToken string `json:"refresh_token"`
}

func (h *Handler) exchangeToken(r *request) (answer, error) {
	body, err := decode[exchangeRequest](r)
	if err != nil {
		return answer{}, err
	}
	x := control.Exchange{AccessToken: body.AccessToken, IDToken: body.IDToken}
	key, t, u, err := h.core.ExchangeToken(r.Context(), x, r.URL.Query().Get("alias"), r.remote())
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, newTokenWire{t.UUID, key, u.Username}}, nil
}

func (h *Handler) listUsers(r *request) (answer, error) {
	items, total, err := h.core.ListUsers(r.Context(), r.who, r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toUser), nil
}

func (h *Handler) enableUser(r *request) (answer, error) { return h.setActive(r, true) }

func (h *Handler) disableUser(r *request) (answer, error) { return h.setActive(r, false) }

func (h *Handler) setActive(r *request, on bool) (answer, error) {
	if err := h.core.SetActive(r.Context(), r.who, r.params["username"], on); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func (h *Handler) listAdmins(r *request) (answer, error) {
	items, total, err := h.core.ListAdmins(r.Context(), r.who, r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toAdmin), nil
}

func (h *Handler) addAdmin(r *request) (answer, error) {
	body, err := decode[userRequest](r)
	if err != nil {
		return answer{}, err
	}
	if err := h.core.SetAdmin(r.Context(), r.who, body.Username, true); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusCreated}, nil
}

func (h *Handler) removeAdmin(r *request) (answer, error) {
	if err := h.core.SetAdmin(r.Context(), r.who, r.params["username"], false); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}
