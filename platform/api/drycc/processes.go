package drycc

import (
	"encoding/json"
	"net/http"

	"github.com/slipway-paas/slipway/platform"
)

func (h *Handler) listPods(r *request) (answer, error) {
	pods, err := h.core.Pods(r.Context(), r.who, r.params["app"])
	if err != nil {
		return answer{}, err
	}
	return listed(pods, toPod), nil
}

func (h *Handler) scale(r *request) (answer, error) {
	body, err := decode[map[string]json.RawMessage](r)
	if err != nil {
		return answer{}, err
	}
	replicas := make(map[string]int, len(body))
	for ptype, raw := range body {
		var n *int
		if err := decodeMember(ptype, raw, &n); err != nil {
			return answer{}, err
		}
		if n == nil {
			return answer{}, platform.FieldErrorf(ptype, "This field may not be null.")
		}
		replicas[ptype] = *n
	}
	if err := h.core.Scale(r.Context(), r.who, r.params["app"], replicas); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// restartRequest names the process types to restart; empty is all.
type restartRequest struct {
	Ptypes string `json:"ptypes"`
}

func (h *Handler) restart(r *request) (answer, error) {
	body, err := decode[restartRequest](r)
	if err != nil {
		return answer{}, err
	}
	if err := h.core.Restart(r.Context(), r.who, r.params["app"], split(body.Ptypes)); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}
