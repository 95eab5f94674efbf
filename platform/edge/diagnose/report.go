package diagnose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"

	"github.com/slipway-paas/slipway/platform"
)

// line is one of what Serve sends: a diagnosis, or the error that ended it.
type line struct {
	Diagnosis *platform.Diagnosis `json:"diagnosis,omitempty"`
	Error     string              `json:"error,omitempty"`
	Done      bool                `json:"done,omitempty"` // all was sent
}

// Serve answers with what check finds for the domain of the query, a line
// each as it is found.
func Serve(check func(ctx context.Context, domain string, found func(platform.Diagnosis)) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		lines := json.NewEncoder(w)
		send := func(l line) {
			_ = lines.Encode(l) // the reader may be gone, which ends ctx
			_ = http.NewResponseController(w).Flush()
		}
		err := check(r.Context(), r.URL.Query().Get("domain"), func(d platform.Diagnosis) { send(line{Diagnosis: &d}) })
		last := line{Done: true}
		var known *platform.Error
		switch {
		case errors.As(err, &known):
			last = line{Error: known.Message}
		case err != nil:
			last = line{Error: err.Error()}
		}
		send(last)
	})
}

// Read reads what Serve sends.
func Read(r io.Reader, found func(platform.Diagnosis)) error {
	lines := json.NewDecoder(r)
	for {
		var l line
		switch err := lines.Decode(&l); {
		case err != nil:
			return fmt.Errorf("the server ended in the middle of its answer: %w", err)
		case l.Error != "":
			return errors.New(l.Error)
		case l.Done:
			return nil
		case l.Diagnosis != nil:
			found(*l.Diagnosis)
		}
	}
}

// Write shows a diagnosis to people.
func Write(w io.Writer, d platform.Diagnosis) error {
	words := map[platform.LinkState]string{platform.LinkOK: "all is well", platform.LinkWarn: "works, but look", platform.LinkFail: "broken"}
	whose := "of the platform"
	if d.App != "" {
		whose = "of " + d.App
	}
	fmt.Fprintf(w, "%s (%s): %s\n", d.Domain, whose, words[d.State()])
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, l := range d.Links {
		text := l.Evidence
		if l.State == platform.LinkSkipped {
			text = l.Reason
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\n", l.ID, l.State, text)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, l := range d.Links {
		if l.State == platform.LinkWarn || l.State == platform.LinkFail {
			fmt.Fprintf(w, "  %s: %s.\n    Cure: %s.\n", l.ID, l.Reason, l.Cure)
		}
	}
	_, err := fmt.Fprintln(w)
	return err
}
