package drycc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// BuildHooks are addresses at which hosts of git repositories tell of pushes.
type BuildHooks interface {
	SetBuildHook(ctx context.Context, who control.Actor, app string, n control.NewBuildHook) (platform.BuildHook, string, error)
	FindBuildHook(ctx context.Context, who control.Actor, app string) (platform.BuildHook, error)
	DeleteBuildHook(ctx context.Context, who control.Actor, app string) error
	PullSource(ctx context.Context, who control.Actor, app string) (platform.BuildRun, error)
	CallBuildHook(ctx context.Context, id string, call control.HookCall) (control.HookAnswer, error)
}

// hookPath is where hosts of repositories call; the UUID follows.
const hookPath = "/v2/builds/hook/"

// hookSecret may call a build hook: whoever proves to have its secret.
const hookSecret = "secret of the hook"

// buildHookWire is the hook of an app.
type buildHookWire struct {
	UUID      string `json:"uuid"`
	App       string `json:"app"`
	User      string `json:"user"`
	Address   string `json:"address"` // that the host of the repository calls
	URL       string `json:"url"`
	Branch    string `json:"branch"`
	Username  string `json:"username"`
	PublicKey string `json:"public_key"`
	HostKey   string `json:"host_key"`
	Created   stamp  `json:"created"`
}

// newBuildHookWire is the answer to its making, the only one with the secret.
type newBuildHookWire struct {
	buildHookWire
	Secret string `json:"secret"`
}

func toBuildHook(r *request, h platform.BuildHook) buildHookWire {
	return buildHookWire{
		UUID: h.UUID, App: h.App, User: h.User, Address: r.base + hookPath + h.UUID + "/", URL: h.URL, Branch: h.Branch,
		Username: h.Username, PublicKey: h.PublicKey, HostKey: h.HostKey, Created: stamp(h.Created),
	}
}

// hookCallWire is what a host of repositories hears.
type hookCallWire struct {
	Detail string  `json:"detail"`
	Build  *string `json:"build"` // uuid of the BuildRun
}

func buildHookRoutes() []route {
	return []route{
		{method: "GET", pattern: "/v2/apps/{app}/builds/hook/", run: (*Handler).findBuildHook, doc: routeDoc{
			summary: "The app's build hook: at address a host of git repositories tells of pushes to branch of url, which is then built. 404 when there is none.",
			who:     viewer, status: 200, response: "BuildHook"}},
		{method: "POST", pattern: "/v2/apps/{app}/builds/hook/", run: (*Handler).setBuildHook, doc: routeDoc{
			summary: "Give the app a build hook, in place of the one it has. The answer is the BuildHook with secret, which is never shown again. " +
				"Of a repository over SSH the public_key that was made has to be allowed to read it. Builds are of the user who asks.",
			who: member, request: `{"url", "branch"?, "username"?, "password"?, "ca"?}`, status: 201, response: "NewBuildHook"}},
		{method: "DELETE", pattern: "/v2/apps/{app}/builds/hook/", run: (*Handler).deleteBuildHook, doc: routeDoc{
			summary: "Take the app's build hook away; its address answers 404 from then on.", who: member, status: 204}},
		{method: "POST", pattern: "/v2/apps/{app}/builds/hook/pull/", run: (*Handler).pullSource, doc: routeDoc{
			summary: "Fetch, build and deploy the newest commit of the hook's branch now.", who: member, status: 201, response: "BuildRun"}},
		{method: "POST", pattern: hookPath + "{hook}/", open: true, run: (*Handler).callBuildHook, doc: routeDoc{
			summary: "Told by a host of git repositories, of a push as GitHub, GitLab, Gitea and Forgejo send it, form or JSON; an empty object is a push as well. " +
				"It is proven by X-Hub-Signature-256, X-Gitea-Signature or X-Forgejo-Signature, the HMAC-SHA256 of the body, or by X-Gitlab-Token, the secret itself. " +
				"202 when a build begins, 200 when there is nothing to do, 403 without proof.",
			who: hookSecret, status: 202, also: []int{200}, response: `{"detail", "build"}`}},
	}
}

func (h *Handler) findBuildHook(r *request) (answer, error) {
	hook, err := h.core.FindBuildHook(r.Context(), r.who, r.params["app"])
	return answer{http.StatusOK, toBuildHook(r, hook)}, err
}

func (h *Handler) setBuildHook(r *request) (answer, error) {
	body, err := decode[struct {
		URL      string `json:"url"`
		Branch   string `json:"branch"`
		Username string `json:"username"`
		Password string `json:"password"`
		CA       string `json:"ca"`
	}](r)
	if err != nil {
		return answer{}, err
	}
	hook, secret, err := h.core.SetBuildHook(r.Context(), r.who, r.params["app"], control.NewBuildHook(body))
	return answer{http.StatusCreated, newBuildHookWire{toBuildHook(r, hook), secret}}, err
}

func (h *Handler) deleteBuildHook(r *request) (answer, error) {
	return answer{status: http.StatusNoContent}, h.core.DeleteBuildHook(r.Context(), r.who, r.params["app"])
}

func (h *Handler) pullSource(r *request) (answer, error) {
	run, err := h.core.PullSource(r.Context(), r.who, r.params["app"])
	return answer{http.StatusCreated, toBuildRun(run)}, err
}

func (h *Handler) callBuildHook(r *request) (answer, error) {
	body, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return answer{}, err // answered as such
	}
	if err != nil {
		return answer{}, platform.Errorf(platform.Invalid, "The body did not come whole.")
	}
	head := r.Header
	kind, _, _ := mime.ParseMediaType(head.Get("Content-Type")) // anything else is taken for JSON
	told, err := h.core.CallBuildHook(r.Context(), r.params["hook"], control.HookCall{
		Body: body, Form: kind == "application/x-www-form-urlencoded",
		Signature: strings.TrimPrefix(cmp.Or(head.Get("X-Hub-Signature-256"), head.Get("X-Forgejo-Signature"), head.Get("X-Gitea-Signature")), "sha256="),
		Token:     head.Get("X-Gitlab-Token"),
		Event:     cmp.Or(head.Get("X-Github-Event"), head.Get("X-Forgejo-Event"), head.Get("X-Gitea-Event"), head.Get("X-Gitlab-Event")),
	})
	if err != nil {
		return answer{}, err
	}
	out := hookCallWire{Detail: told.Message}
	if told.Run == nil {
		return answer{http.StatusOK, out}, nil
	}
	out.Build, out.Detail = &told.Run.UUID, fmt.Sprintf("%s See `drycc builds logs %s -a %s`.", told.Message, told.Run.UUID, told.Run.App)
	return answer{http.StatusAccepted, out}, nil
}
