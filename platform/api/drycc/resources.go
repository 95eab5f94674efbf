package drycc

import (
	"encoding/json"
	"net/http"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func (h *Handler) listCatalogServices(r *request) (answer, error) {
	items, total, err := h.core.ListCatalogServices(r.Context(), r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toResourceService), nil
}

func (h *Handler) listPlansOfService(r *request) (answer, error) {
	items, total, err := h.core.ListPlans(r.Context(), r.params["service"], r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toServicePlan), nil
}

func (h *Handler) listResources(r *request) (answer, error) {
	items, total, err := h.core.ListResources(r.Context(), r.who, r.params["app"], r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toResource), nil
}

func (h *Handler) findResource(r *request) (answer, error) {
	res, err := h.core.FindResource(r.Context(), r.who, r.params["app"], r.params["resource"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toResource(res)}, nil
}

// resourceRequest is a new resource, or what an old one is to become. What the
// answer has besides changes nothing.
type resourceRequest struct {
	echoed
	Name    string          `json:"name"`
	Plan    string          `json:"plan"`
	Options json.RawMessage `json:"options"`
	Data    json.RawMessage `json:"data"`
	Status  json.RawMessage `json:"status"`
	Binding json.RawMessage `json:"binding"`
	Message json.RawMessage `json:"message"`
}

func (h *Handler) createResource(r *request) (answer, error) {
	body, err := decode[resourceRequest](r)
	if err != nil {
		return answer{}, err
	}
	options, err := scalars("options", body.Options)
	if err != nil {
		return answer{}, err
	}
	n := control.NewResource{Name: body.Name, Plan: body.Plan, Options: options}
	res, err := h.core.CreateResource(r.Context(), r.who, r.params["app"], n)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, toResource(res)}, nil
}

func (h *Handler) updateResource(r *request) (answer, error) {
	body, err := decode[resourceRequest](r)
	if err != nil {
		return answer{}, err
	}
	if body.Name != "" && body.Name != r.params["resource"] {
		return answer{}, platform.FieldErrorf("name", "The name of a resource can't be changed.")
	}
	options, err := scalars("options", body.Options)
	if err != nil {
		return answer{}, err
	}
	res, err := h.core.UpdateResource(r.Context(), r.who, r.params["app"], r.params["resource"],
		control.ResourceChange{Plan: body.Plan, Options: options})
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toResource(res)}, nil
}

func (h *Handler) destroyResource(r *request) (answer, error) {
	if err := h.core.DestroyResource(r.Context(), r.who, r.params["app"], r.params["resource"]); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// bindingRequest says what to do with a binding.
type bindingRequest struct {
	BindAction string `json:"bind_action"`
}

func (h *Handler) changeBinding(r *request) (answer, error) {
	body, err := decode[bindingRequest](r)
	if err != nil {
		return answer{}, err
	}
	act := h.core.BindResource
	switch body.BindAction {
	case "bind":
	case "unbind":
		act = h.core.UnbindResource
	default:
		return answer{}, platform.FieldErrorf("bind_action", "Expected bind or unbind.")
	}
	res, err := act(r.Context(), r.who, r.params["app"], r.params["resource"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toResource(res)}, nil
}

func (h *Handler) listAddonClasses(r *request) (answer, error) {
	services, _, err := h.core.ListCatalogServices(r.Context(), control.Page{Limit: mostLimit})
	if err != nil {
		return answer{}, err
	}
	classes := make([]addonClassWire, 0, len(services))
	for _, s := range services {
		class, err := h.addonClass(r, s)
		if err != nil {
			return answer{}, err
		}
		classes = append(classes, class)
	}
	return listed(classes, func(c addonClassWire) addonClassWire { return c }), nil
}

func (h *Handler) findAddonClass(r *request) (answer, error) {
	services, _, err := h.core.ListCatalogServices(r.Context(), control.Page{Limit: mostLimit})
	if err != nil {
		return answer{}, err
	}
	for _, s := range services {
		if s.Name != r.params["class"] {
			continue
		}
		class, err := h.addonClass(r, s)
		if err != nil {
			return answer{}, err
		}
		return answer{http.StatusOK, class}, nil
	}
	return answer{}, platform.Errorf(platform.NotFound, "No AddonClass matches the given query.")
}

func (h *Handler) addonClass(r *request, s platform.ResourceService) (addonClassWire, error) {
	plans, _, err := h.core.ListPlans(r.Context(), s.Name, control.Page{Limit: mostLimit})
	return addonClassWire{s.Name, s.Updateable, convertAll(plans, toServicePlan)}, err
}

func (h *Handler) listAddons(r *request) (answer, error) {
	items, total, err := h.core.ListResources(r.Context(), r.who, r.params["app"], r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toAddon), nil
}

func (h *Handler) findAddon(r *request) (answer, error) {
	res, err := h.core.FindResource(r.Context(), r.who, r.params["app"], r.params["addon"])
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toAddon(res)}, nil
}

// addonRequest is an addon as it is to be.
type addonRequest struct {
	echoed
	Name       string          `json:"name"`
	Kind       string          `json:"kind"`
	Plan       string          `json:"plan"`
	Multiplier json.RawMessage `json:"multiplier"`
	Parameters json.RawMessage `json:"parameters"`
}

func (h *Handler) putAddon(r *request) (answer, error) {
	body, err := decode[addonRequest](r)
	if err != nil {
		return answer{}, err
	}
	switch {
	case body.Kind == "":
		return answer{}, platform.FieldErrorf("kind", "This field is required.")
	case body.Plan == "":
		return answer{}, platform.FieldErrorf("plan", "This field is required.")
	}
	parameters, err := scalars("parameters", body.Parameters)
	if err != nil {
		return answer{}, err
	}
	res, made, err := h.core.PutResource(r.Context(), r.who, r.params["app"], r.params["addon"],
		control.NewResource{Name: body.Name, Plan: body.Kind + ":" + body.Plan, Options: parameters})
	if err != nil {
		return answer{}, err
	}
	if made {
		return answer{http.StatusCreated, toAddon(res)}, nil
	}
	return answer{http.StatusOK, toAddon(res)}, nil
}

func (h *Handler) destroyAddon(r *request) (answer, error) {
	if err := h.core.DestroyResource(r.Context(), r.who, r.params["app"], r.params["addon"]); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func (h *Handler) addonConnection(r *request) (answer, error) {
	res, err := h.core.FindResource(r.Context(), r.who, r.params["app"], r.params["addon"])
	if err != nil {
		return answer{}, err
	}
	if len(res.Data) == 0 {
		return answer{}, platform.Errorf(platform.NotFound,
			"%s has no connection yet; bind it: PATCH /v2/apps/%s/resources/%s/binding/", res.Name, res.App, res.Name)
	}
	return answer{http.StatusOK, res.Data}, nil
}
