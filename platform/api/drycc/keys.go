package drycc

import (
	"encoding/json"
	"net/http"

	"github.com/slipway-paas/slipway/platform"
)

// keyWire is an SSH key.
type keyWire struct {
	UUID        string `json:"uuid"`
	Owner       string `json:"owner"`
	ID          string `json:"id"`
	Public      string `json:"public"`
	Fingerprint string `json:"fingerprint"`
	Created     stamp  `json:"created"`
	Updated     stamp  `json:"updated"`
}

func toKey(k platform.Key) keyWire {
	return keyWire{k.UUID, k.Owner, k.ID, k.Public, k.Fingerprint, stamp(k.Created), stamp(k.Updated)}
}

// keyRequest is a new key.
type keyRequest struct {
	UUID    json.RawMessage `json:"uuid"` // read-only members that clients echo
	Owner   json.RawMessage `json:"owner"`
	Created json.RawMessage `json:"created"`
	Updated json.RawMessage `json:"updated"`
	ID      string          `json:"id"`
	Public  string          `json:"public"`
}

func (h *Handler) listKeys(r *request) (answer, error) {
	items, total, err := h.core.ListKeys(r.Context(), r.who, r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toKey), nil
}

func (h *Handler) addKey(r *request) (answer, error) {
	body, err := decode[keyRequest](r)
	if err != nil {
		return answer{}, err
	}
	k, err := h.core.AddKey(r.Context(), r.who, body.ID, body.Public)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, toKey(k)}, nil
}

func (h *Handler) findKey(r *request) (answer, error) {
	k, err := h.core.FindKey(r.Context(), r.who, r.params["id"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toKey(k)}, nil
}

func (h *Handler) deleteKey(r *request) (answer, error) {
	if err := h.core.DeleteKey(r.Context(), r.who, r.params["id"]); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func (h *Handler) listBuilds(r *request) (answer, error) {
	items, total, err := h.core.ListBuilds(r.Context(), r.who, r.params["app"], r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toBuild), nil
}
