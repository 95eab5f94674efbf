package drycc

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

func (h *Handler) findBuild(r *request) (answer, error) {
	v, err := version("version", r.URL.Query().Get("version"))
	if err != nil {
		return answer{}, err
	}
	b, err := h.core.FindBuild(r.Context(), r.who, r.params["app"], v)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toBuild(b)}, nil
}

// defaultStack stands for the stack in the guide's requests, which have none.
const defaultStack = "container"

// buildRequest is a new build.
type buildRequest struct {
	echoed
	Image      string          `json:"image"`
	Stack      string          `json:"stack"`
	SHA        string          `json:"sha"`
	Procfile   json.RawMessage `json:"procfile"`
	Dryccfile  json.RawMessage `json:"dryccfile"`
	Dockerfile string          `json:"dockerfile"`
}

func (h *Handler) createBuild(r *request) (answer, error) {
	body, err := decode[buildRequest](r)
	if err != nil {
		return answer{}, err
	}
	n, err := body.build()
	if err != nil {
		return answer{}, err
	}
	b, err := h.core.Deploy(r.Context(), r.who, r.params["app"], n)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, h.withRelease(r, b.App, b.UUID, "", toBuild(b))}, nil
}

// withRelease adds the version of the release that a build or a config became.
// It is left off when it can't be found: the change itself was made.
func (h *Handler) withRelease(r *request, app, build, config string, body any) any {
	v, err := h.core.VersionOf(r.Context(), app, build, config)
	if err != nil {
		return body
	}
	return released{body, v}
}

// build converts the request.
func (b buildRequest) build() (control.NewBuild, error) {
	n := control.NewBuild{Image: b.Image, Stack: b.Stack, SHA: b.SHA, Dockerfile: b.Dockerfile}
	if n.Stack == "" {
		n.Stack = defaultStack
	}
	if err := decodeNested("procfile", b.Procfile, &n.Procfile); err != nil {
		return n, err
	}
	var dryccfile map[string]json.RawMessage
	if err := decodeNested("dryccfile", b.Dryccfile, &dryccfile); err != nil || len(dryccfile) == 0 {
		return n, err
	}
	var err error
	n.Dryccfile, err = json.Marshal(dryccfile)
	return n, err
}

func (h *Handler) findConfig(r *request) (answer, error) {
	v, err := version("version", r.URL.Query().Get("version"))
	if err != nil {
		return answer{}, err
	}
	c, err := h.core.FindConfig(r.Context(), r.who, r.params["app"], v)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toConfig(c)}, nil
}

func (h *Handler) changeConfig(r *request) (answer, error) {
	merge := true
	if s := r.URL.Query().Get("merge"); s != "" {
		var err error
		if merge, err = strconv.ParseBool(s); err != nil {
			return answer{}, platform.FieldErrorf("merge", "Expected true or false.")
		}
	}
	body, err := decode[configRequest](r)
	if err != nil {
		return answer{}, err
	}
	change, err := body.change()
	if err != nil {
		return answer{}, err
	}
	c, err := h.core.ChangeConfig(r.Context(), r.who, r.params["app"], change, merge)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, h.withRelease(r, c.App, "", c.UUID, toConfig(c))}, nil
}

// detachRequest names the groups to detach from process types.
type detachRequest struct {
	ValuesRefs map[string][]string `json:"values_refs"`
}

func (h *Handler) detachConfig(r *request) (answer, error) {
	body, err := decode[detachRequest](r)
	if err != nil {
		return answer{}, err
	}
	if err := h.core.DetachConfig(r.Context(), r.who, r.params["app"], body.ValuesRefs); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK}, nil
}

func (h *Handler) listReleases(r *request) (answer, error) {
	ptypes := split(r.URL.Query().Get("ptypes"))
	items, total, err := h.core.ListReleases(r.Context(), r.who, r.params["app"], ptypes, r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, items, total, toRelease), nil
}

func (h *Handler) findRelease(r *request) (answer, error) {
	v, err := strconv.Atoi(r.params["version"])
	if err != nil || v < 1 {
		return answer{}, platform.Errorf(platform.NotFound, "No Release matches the given query.")
	}
	rel, err := h.core.FindRelease(r.Context(), r.who, r.params["app"], v)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, toRelease(rel)}, nil
}

// deployRequest starts or repeats a deploy.
type deployRequest struct {
	Ptypes string `json:"ptypes"`
	Force  bool   `json:"force"`
}

func (h *Handler) deployRelease(r *request) (answer, error) {
	body, err := decode[deployRequest](r)
	if err != nil {
		return answer{}, err
	}
	if err := h.core.DeployRelease(r.Context(), r.who, r.params["app"], split(body.Ptypes), body.Force); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// rollbackRequest names the release to go back to; absent is the one before.
type rollbackRequest struct {
	Version json.RawMessage `json:"version"`
	Ptypes  string          `json:"ptypes"`
}

func (h *Handler) rollback(r *request) (answer, error) {
	body, err := decode[rollbackRequest](r)
	if err != nil {
		return answer{}, err
	}
	var given *int
	if err := decodeMember("version", body.Version, &given); err != nil {
		return answer{}, err
	}
	v := 0
	if given != nil {
		if v = *given; v < 1 {
			return answer{}, platform.Errorf(platform.Invalid, "version cannot be below 0")
		}
	}
	rel, err := h.core.Rollback(r.Context(), r.who, r.params["app"], v, split(body.Ptypes))
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, map[string]int{"version": rel.Version}}, nil
}
