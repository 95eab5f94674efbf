package drycc

import (
	"encoding/json"
	"net/http"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func (h *Handler) listVolumes(r *request) (answer, error) {
	items, total, err := h.core.ListVolumes(r.Context(), r.who, r.params["app"], r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toVolume), nil
}

func (h *Handler) findVolume(r *request) (answer, error) {
	v, err := h.core.FindVolume(r.Context(), r.who, r.params["app"], r.params["volume"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toVolume(v)}, nil
}

// volumeRequest is a new volume, or what an old one is to become.
type volumeRequest struct {
	echoed
	Name       string          `json:"name"`
	Size       string          `json:"size"`
	Type       string          `json:"type"`
	Path       json.RawMessage `json:"path"` // of one that was read before
	Parameters json.RawMessage `json:"parameters"`
}

func (h *Handler) createVolume(r *request) (answer, error) {
	body, err := decode[volumeRequest](r)
	if err != nil {
		return answer{}, err
	}
	n := control.NewVolume{Name: body.Name, Size: body.Size, Type: platform.VolumeType(body.Type)}
	if n.Type == "" {
		n.Type = platform.VolumeCSI
	}
	var path map[string]string
	if err := decodeNested("path", body.Path, &path); err != nil {
		return answer{}, err
	}
	if len(path) > 0 {
		return answer{}, platform.FieldErrorf("path", "A new volume is mounted nowhere; mount it when it is there.")
	}
	if n.Parameters, err = volumeParameters(n.Type, body.Parameters); err != nil {
		return answer{}, err
	}
	v, err := h.core.CreateVolume(r.Context(), r.who, r.params["app"], n)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, toVolume(v)}, nil
}

func (h *Handler) expandVolume(r *request) (answer, error) {
	body, err := decode[volumeRequest](r)
	if err != nil {
		return answer{}, err
	}
	if body.Name != "" && body.Name != r.params["volume"] {
		return answer{}, platform.FieldErrorf("name", "The name of a volume can't be changed.")
	}
	v, err := h.core.ExpandVolume(r.Context(), r.who, r.params["app"], r.params["volume"], body.Size)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toVolume(v)}, nil
}

func (h *Handler) deleteVolume(r *request) (answer, error) {
	if err := h.core.DeleteVolume(r.Context(), r.who, r.params["app"], r.params["volume"]); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func (h *Handler) mountVolume(r *request) (answer, error) {
	body, err := decode[volumeRequest](r)
	if err != nil {
		return answer{}, err
	}
	var paths map[string]*string
	if err := decodeNested("path", body.Path, &paths); err != nil {
		return answer{}, err
	}
	before, err := h.core.MountVolume(r.Context(), r.who, r.params["app"], r.params["volume"], paths)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toVolume(before)}, nil
}

// filerLoginWire is how to log in to a filer.
type filerLoginWire struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

func (h *Handler) bindFiler(r *request) (answer, error) {
	login, err := h.core.BindFiler(r.Context(), r.who, r.params["app"], r.params["volume"], filerPrefix(r))
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, filerLoginWire(login)}, nil
}

func (h *Handler) pingFiler(r *request) (answer, error) {
	if err := h.core.PingFiler(r.Context(), r.who, r.params["app"], r.params["volume"]); err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, plain("pong")}, nil
}

// filerPrefix is the path of a volume's root directory.
func filerPrefix(r *request) string {
	return "/v2/apps/" + r.params["app"] + "/volumes/" + r.params["volume"] + "/filer/webdav"
}
