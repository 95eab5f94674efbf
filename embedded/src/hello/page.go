package main

import (
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

// facts are the lines the page shows; an empty PoweredBy is left out.
type facts struct {
	App, Release, Pod, PoweredBy string
}

const pageHTML = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{or .App "hello"}}</title>
<style>
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 32rem; margin: 15vh auto; padding: 0 1rem }
  dt { color: #667 } dd { margin: 0 0 .6rem; font: 1.1rem ui-monospace, monospace }
  @media (prefers-color-scheme: dark) { body { background: #14161a; color: #e8e8ea } dt { color: #99a } }
</style>
<h1>Hello from {{or .App "your app"}}</h1>
<dl>
  <dt>app</dt><dd>{{or .App "-"}}</dd>
  <dt>release</dt><dd>{{or .Release "-"}}</dd>
  <dt>pod</dt><dd>{{.Pod}}</dd>
  {{- with .PoweredBy}}
  <dt>powered by</dt><dd>{{.}}</dd>
  {{- end}}
</dl>
</html>
`

// newPage answers / with the facts, as HTML to a browser and as plain
// "key: value" lines to anything else, and /healthz with ok.
func newPage(f facts) http.Handler {
	page := template.Must(template.New("page").Parse(pageHTML))
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Vary", "Accept")
		if strings.Contains(r.Header.Get("Accept"), "text/html") {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_ = page.Execute(w, f)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = fmt.Fprintf(w, "app: %s\nrelease: %s\npod: %s\n", f.App, f.Release, f.Pod)
		if f.PoweredBy != "" {
			_, _ = fmt.Fprintf(w, "powered by: %s\n", f.PoweredBy)
		}
	})
	return mux
}
