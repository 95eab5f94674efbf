package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// deliver sends the oldest delivery of a target. A receiver that is away is
// left alone for a while with all that waits for it.
func (d *dispatcher) deliver(ctx context.Context, t hookTarget) (more bool, err error) {
	list, err := d.store.ListDeliveries(ctx, t.id, 1)
	if err != nil || len(list) == 0 {
		return false, err
	}
	item := list[0]
	if item.Attempts >= hookTries { // the process died in every one of them
		return true, d.end(ctx, t, item, "fail", "the process ended while it was sent")
	}
	if err := d.store.TriedDelivery(ctx, item.ID); err != nil {
		return false, err
	}
	item.Attempts++
	address := t.url + "?" + item.Query
	if strings.Contains(t.url, "?") {
		address = strings.TrimSuffix(t.url, "&") + "&" + item.Query
	}
	status, err := d.poster.Post(ctx, address, signature(d.secret, address))
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	problem, final := judge(status, err)
	switch {
	case problem == "":
		return true, d.end(ctx, t, item, "sent", "")
	case final, item.Attempts >= hookTries, d.now().Sub(item.Created) > hookAge:
		return true, d.end(ctx, t, item, "fail", problem)
	}
	d.log.WithField("app", item.App).WithField("release", item.Version).WithField("to", t.show).
		WithField("attempt", item.Attempts).Warn("deploy hook: " + problem)
	pause(ctx, d.backoff(item.Attempts))
	return true, nil
}

// judge says what is wrong with an answer, and whether asking again is in vain.
func judge(status int, err error) (problem string, final bool) {
	switch {
	case err != nil:
		return "no answer: " + err.Error(), false
	case status >= 200 && status < 300:
		return "", false
	case status >= 300 && status < 400:
		return fmt.Sprintf("answered %d: it redirects, and the signature is for one address only; set the final one", status), true
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= 500:
		return fmt.Sprintf("answered %d", status), false
	default:
		return fmt.Sprintf("answered %d", status), true
	}
}

// end records how a delivery ended.
func (d *dispatcher) end(ctx context.Context, t hookTarget, item Delivery, action, problem string) error {
	told := map[string]any{"version": item.Version, "to": t.show, "attempts": item.Attempts}
	if problem != "" {
		told["problem"] = problem
	}
	data, err := json.Marshal(told)
	if err != nil {
		return fmt.Errorf("deploy hook %d: %w", item.ID, err)
	}
	e := Event{App: item.App, Object: "hook", Action: action, Data: data, Created: d.now()}
	if err := d.store.EndDelivery(ctx, item.ID, e); err != nil {
		return err
	}
	entry := d.log.WithField("app", item.App).WithField("release", item.Version)
	if action == "sent" {
		entry.Info("Deploy hook sent to " + t.show)
		return nil
	}
	entry.WithField("attempts", item.Attempts).Warn("Deploy hook given up for " + t.show + ": " + problem)
	return nil
}
