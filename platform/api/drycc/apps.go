package drycc

import (
	"encoding/json"
	"net/http"

	"github.com/slipway-paas/slipway/platform/control"
)

func (h *Handler) listApps(r *request) (answer, error) {
	q := r.URL.Query()
	filter := control.AppFilter{Workspace: q.Get("workspace"), Search: q.Get("search")}
	items, total, err := h.core.ListApps(r.Context(), r.who, filter, r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toApp), nil
}

// appRequest is a new app.
type appRequest struct {
	ID        string `json:"id"`
	Workspace string `json:"workspace"`
}

func (h *Handler) createApp(r *request) (answer, error) {
	body, err := decode[appRequest](r)
	if err != nil {
		return answer{}, err
	}
	a, err := h.core.CreateApp(r.Context(), r.who, control.NewApp{ID: body.ID, Workspace: body.Workspace})
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, toApp(a)}, nil
}

func (h *Handler) findApp(r *request) (answer, error) {
	a, err := h.core.FindApp(r.Context(), r.who, r.params["app"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toApp(a)}, nil
}

func (h *Handler) deleteApp(r *request) (answer, error) {
	if err := h.core.DeleteApp(r.Context(), r.who, r.params["app"]); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func (h *Handler) findSettings(r *request) (answer, error) {
	s, err := h.core.FindSettings(r.Context(), r.who, r.params["app"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toSettings(s)}, nil
}

// settingsRequest is any part of the settings; null members unset.
type settingsRequest struct {
	echoed
	Routable     *bool           `json:"routable"`
	Autodeploy   *bool           `json:"autodeploy"`
	Autorollback *bool           `json:"autorollback"`
	Autoscale    json.RawMessage `json:"autoscale"`
	Label        json.RawMessage `json:"label"`
}

func (h *Handler) changeSettings(r *request) (answer, error) {
	body, err := decode[settingsRequest](r)
	if err != nil {
		return answer{}, err
	}
	c := control.SettingsChange{Routable: body.Routable, Autodeploy: body.Autodeploy, Autorollback: body.Autorollback}
	var label map[string]*text
	if err := decodeNested("label", body.Label, &label); err != nil {
		return answer{}, err
	}
	if err := decodeNested("autoscale", body.Autoscale, &c.Autoscale); err != nil {
		return answer{}, err
	}
	c.Label = pointers(label)
	s, err := h.core.ChangeSettings(r.Context(), r.who, r.params["app"], c)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, toSettings(s)}, nil
}
