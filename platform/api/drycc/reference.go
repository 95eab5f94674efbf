package drycc

import (
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
)

// routeDoc is the prose of a route.
type routeDoc struct {
	summary, who, query, request, response string
	status                                 int    // when all is well
	also                                   []int  // other answers when all is well
	collision                              string // where the guide and the newest client differ
}

// RouteDoc describes one route for the reference.
type RouteDoc struct {
	Method, Path string
	Summary      string
	Who          string // who may use it
	Open         bool   // needs no token
	Paged        bool   // takes limit and offset
	Socket       bool   // changes to the websocket protocol
	Query        string // "name: meaning"; several are separated by "; "
	Request      string // shape of the body; empty: none
	Status       int    // when all is well
	Also         []int  // other answers when all is well
	Response     string // shape of the answer; empty: none
	Collision    string // where the published guide differs and what is done about it
}

// Reference returns the description of every route, in the order of the
// table.
func Reference() []RouteDoc {
	var out []RouteDoc
	for _, r := range routes() {
		d := r.doc
		out = append(out, RouteDoc{
			Method: r.method, Path: r.pattern, Summary: d.summary, Who: d.who, Open: r.open, Paged: r.paged, Socket: r.socket,
			Query: d.query, Request: d.request, Status: d.status, Also: d.also, Response: d.response, Collision: d.collision,
		})
	}
	return out
}

// WriteReference writes the page docs/api.md: the reference of the API as
// Markdown, made from the route table.
func WriteReference(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# The API\n\n<!-- Made from the route table in platform/api/drycc; do not edit. -->\n\n")
	b.WriteString("The controller speaks version 2.3 of the Drycc API at `http://drycc.<domain>/v2/`.\n\n")
	b.WriteString("## Routes\n\nEvery path is answered with and without the slash at its end. ")
	b.WriteString("Paged lists take `limit` (default 100) and `offset`.\n\n")
	b.WriteString("| Method | Path | Who | Body | Answer | |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, d := range Reference() {
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %s |\n", d.Method, d.Path, d.Who, code(d.Request), d.answer(), d.remark())
	}
	b.WriteString("\n" + socketReference())
	b.WriteString("\n## Objects\n\nTimes are UTC, `YYYY-MM-DDTHH:MM:SSZ`. Lists and maps are empty, never null.\n\n")
	b.WriteString("| Object | Members |\n| --- | --- |\n")
	for _, o := range objects() {
		fmt.Fprintf(&b, "| %s | %s |\n", o.name, strings.Join(o.members, ", "))
	}
	b.WriteString("\n## Where the guide and the newest client differ\n\n")
	b.WriteString("Answers have the newest shape; the guide's requests are taken as well.\n\n")
	for _, d := range Reference() {
		if d.Collision != "" {
			fmt.Fprintf(&b, "- `%s %s`: %s\n", d.Method, d.Path, d.Collision)
		}
	}
	b.WriteString("\n## Errors\n\n| Status | Body |\n| --- | --- |\n")
	for _, e := range errorReference() {
		fmt.Fprintf(&b, "| %d %s | %s |\n", e.status, http.StatusText(e.status), code(e.body))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// answer is status and shape of the answer.
func (d RouteDoc) answer() string {
	status := fmt.Sprint(d.Status)
	for _, s := range d.Also {
		status += fmt.Sprint(" or ", s)
	}
	return strings.TrimSpace(status + " " + code(d.Response))
}

// remark is the summary with what the query may hold.
func (d RouteDoc) remark() string {
	s := d.Summary
	if d.Query != "" {
		s += " Query: " + d.Query + "."
	}
	if d.Paged {
		s += " Paged."
	}
	return strings.ReplaceAll(s, "|", `\|`)
}

// code sets a shape in code type.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(s, "|", `\|`) + "`"
}

// objectDoc names the members of an object.
type objectDoc struct {
	name    string
	members []string
}

// objects describes the objects of the wire, from the types that make them.
func objects() []objectDoc {
	var out []objectDoc
	for _, o := range []struct {
		name string
		wire any
	}{
		{"App", appWire{}}, {"Build", buildWire{}}, {"BuildRun", buildRunWire{}}, {"BuildHook", buildHookWire{}}, {"Config", configWire{}}, {"Value of a Config", valueWire{}},
		{"Release", releaseWire{}}, {"Condition of a Release", conditionWire{}}, {"Settings", settingsWire{}},
		{"Domain", domainWire{}}, {"TLS", tlsWire{}}, {"Event of TLS", tlsEventWire{}}, {"Diagnosis", diagnosisWire{}}, {"Link of a Diagnosis", linkWire{}}, {"Cert", certWire{}},
		{"Service", serviceWire{}}, {"Port of a Service", servicePortWire{}}, {"Gateway", gatewayWire{}},
		{"Route", routeWire{}}, {"Rule of a Route", ruleWire{}}, {"Match of a Rule", matchWire{}}, {"Filter of a Rule", filterWire{}},
		{"Pod", podWire{}}, {"PodContainer", podContainerWire{}}, {"Ptype", ptypeWire{}}, {"PtypeContainer", ptypeContainerWire{}},
		{"ClusterEvent", eventWire{}}, {"User", userWire{}}, {"Token", tokenWire{}},
		{"Workspace", workspaceWire{}}, {"Key", keyWire{}}, {"Volume", volumeWire{}}, {"Resource", resourceWire{}},
		{"CatalogService", catalogServiceWire{}}, {"CatalogPlan", servicePlanWire{}},
		{"Spec", specWire{}}, {"Plan", planWire{}}, {"Addon", addonWire{}}, {"AddonClass", addonClassWire{}}, {"Member", memberWire{}}, {"Invitation", invitationWire{}}, {"page of …", pageOf[appWire]{}},
	} {
		doc := objectDoc{name: o.name}
		t := reflect.TypeOf(o.wire)
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			doc.members = append(doc.members, "`"+name+"`")
		}
		out = append(out, doc)
	}
	return out
}

type errorDoc struct {
	status int
	body   string
}

// errorReference describes the error bodies.
func errorReference() []errorDoc {
	return []errorDoc{
		{400, `{"<field>": ["text"]} or {"detail": "text"} or ["text"]; of gateways and routes {"error": {"code": "VALIDATION_ERROR", "message", "details": {"<field>": ["text"]}}}`},
		{401, `{"detail": "text"}, with WWW-Authenticate: token`},
		{403, `{"detail": "text"}`},
		{404, `{"error": {"code": "NOT_FOUND", "message": "text"}}; a page for paths that do not exist`},
		{405, `{"detail": "Method \"PUT\" not allowed."}`},
		{409, `{"detail": "text"}`},
		{413, `{"detail": "text"}`},
		{422, `{"detail": "text"}`},
		{429, `{"detail": "text"}; it says when to come again`},
		{500, `{"error": {"code": "INTERNAL_ERROR", "message": "An internal error occurred"}}`},
		{503, `{"detail": "text"}`},
	}
}
