package drycc

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/api"
	"github.com/slipway-paas/slipway/platform/control"
)

// BuildRuns are attempts to build from source.
type BuildRuns interface {
	UploadSource(ctx context.Context, who control.Actor, app string, body io.Reader) (platform.BuildRun, error)
	ListBuildRuns(ctx context.Context, who control.Actor, app string, p control.Page) ([]platform.BuildRun, int, error)
	FindBuildRun(ctx context.Context, who control.Actor, app, id string) (platform.BuildRun, error)
	CancelBuild(ctx context.Context, who control.Actor, app, id string) (platform.BuildRun, error)
	BuildLog(ctx context.Context, who control.Actor, app, id string, follow bool, w io.Writer) error
}

// buildRunWire is an attempt to build.
type buildRunWire struct {
	UUID    string  `json:"uuid"`
	App     string  `json:"app"`
	User    string  `json:"user"`
	Origin  string  `json:"origin"`
	Ref     string  `json:"ref"`
	SHA     string  `json:"sha"`
	Stack   string  `json:"stack"`
	State   string  `json:"state"`
	Message string  `json:"message"`
	Release *string `json:"release"`
	Created stamp   `json:"created"`
	Started stamp   `json:"started"`
	Ended   stamp   `json:"ended"`
}

func toBuildRun(r platform.BuildRun) buildRunWire {
	w := buildRunWire{
		UUID: r.UUID, App: r.App, User: r.User, Origin: r.Origin, Ref: r.Ref, SHA: r.SHA, Stack: r.Stack,
		State: string(r.State), Message: r.Message, Created: stamp(r.Created), Started: stamp(r.Started), Ended: stamp(r.Ended),
	}
	if r.Version > 0 {
		w.Release = optional("v" + strconv.Itoa(r.Version))
	}
	return w
}

func buildRunRoutes() []route {
	return []route{
		{method: "POST", pattern: "/v2/apps/{app}/builds/source/", run: (*Handler).uploadSource, doc: routeDoc{
			summary: "Build a source tree and deploy it. The body is a tar file, plain or compressed with gzip. Answers when the tree is there and the build is recorded; its log tells the rest.",
			who:     member, status: 201, response: "BuildRun"}},
		{method: "GET", pattern: "/v2/apps/{app}/builds/runs/", paged: true, run: (*Handler).listBuildRuns, doc: routeDoc{
			summary: "The attempts to build from source, newest first: pushes and uploads.", who: viewer,
			status: 200, response: "page of BuildRun"}},
		{method: "GET", pattern: "/v2/apps/{app}/builds/{id}/", run: (*Handler).findBuildRun, doc: routeDoc{
			summary: "One attempt to build. state is queued, running, succeeded, failed or canceled; message says why it failed. When it succeeded there is a release, and a Build of the same uuid.",
			who:     viewer, status: 200, response: "BuildRun"}},
		{method: "GET", pattern: "/v2/apps/{app}/builds/{id}/log/", run: (*Handler).buildLog, doc: routeDoc{
			summary: "What an attempt to build said, up to the end of its release. Of a long log the beginning and the end are kept.", who: viewer,
			query: "follow: true goes on until the release has ended, for up to an hour", status: 200, response: plainText}},
		{method: "POST", pattern: "/v2/apps/{app}/builds/{id}/cancel/", run: (*Handler).cancelBuild, doc: routeDoc{
			summary: "End an attempt to build that waits or runs. 409 when it has ended: a release that is made can't be canceled.", who: member,
			status: 200, response: "BuildRun"}},
	}
}

// uploadPatience is how long nothing may come of a source tree.
const uploadPatience = time.Minute

func (h *Handler) uploadSource(r *request) (answer, error) {
	ctx, over := api.LongLived(r.Context())
	defer over()
	body := api.TraceOf(r.Context()).Body // the one without a limit
	if body == nil {
		body = r.Body
	}
	run, err := h.core.UploadSource(ctx, r.who, r.params["app"], patient{body, http.NewResponseController(r.w)})
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, toBuildRun(run)}, nil
}

// patient is a body that may take as long as it likes while it moves.
type patient struct {
	r       io.Reader
	control *http.ResponseController
}

// Read moves the deadlines of the connection.
func (p patient) Read(b []byte) (int, error) {
	// On a writer that has no deadlines the listener's are kept.
	_ = p.control.SetReadDeadline(time.Now().Add(uploadPatience))
	_ = p.control.SetWriteDeadline(time.Now().Add(2 * uploadPatience))
	return p.r.Read(b)
}

func (h *Handler) listBuildRuns(r *request) (answer, error) {
	list, total, err := h.core.ListBuildRuns(r.Context(), r.who, r.params["app"], r.page())
	if err != nil {
		return answer{}, err
	}
	return paged(r, list, total, toBuildRun), nil
}

func (h *Handler) findBuildRun(r *request) (answer, error) {
	run, err := h.core.FindBuildRun(r.Context(), r.who, r.params["app"], r.params["id"])
	return answer{http.StatusOK, toBuildRun(run)}, err
}

func (h *Handler) cancelBuild(r *request) (answer, error) {
	run, err := h.core.CancelBuild(r.Context(), r.who, r.params["app"], r.params["id"])
	return answer{http.StatusOK, toBuildRun(run)}, err
}

func (h *Handler) buildLog(r *request) (answer, error) {
	_, follow, err := logQuery(r)
	if err != nil {
		return answer{}, err
	}
	app, id := r.params["app"], r.params["id"]
	if !follow {
		var b strings.Builder
		err := h.core.BuildLog(r.Context(), r.who, app, id, false, &b)
		return answer{http.StatusOK, plain(b.String())}, err
	}
	return h.followText(r, func(ctx context.Context, out *textStream) error {
		return h.core.BuildLog(ctx, r.who, app, id, true, textLines{out})
	})
}

// textLines is a textStream to write to.
type textLines struct{ *textStream }

// Write sends and flushes.
func (t textLines) Write(p []byte) (int, error) { return len(p), t.send(string(p)) }
