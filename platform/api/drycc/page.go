package drycc

import (
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

const (
	defaultLimit = 100
	// mostLimit bounds what one request may make us read.
	mostLimit = 10000
)

// pageOf is the envelope of a list.
type pageOf[T any] struct {
	Count    int     `json:"count"`
	Next     *string `json:"next"`
	Previous *string `json:"previous"`
	Results  []T     `json:"results"`
}

// listOf is the envelope of a list that is never cut.
type listOf[T any] struct {
	Results []T `json:"results"`
	Count   int `json:"count"`
}

// page reads limit and offset. What is no positive number counts as absent,
// as clients send limit=-1 for "no limit of mine".
func (r *request) page() control.Page {
	p := control.Page{Limit: defaultLimit}
	q := r.URL.Query()
	if n, err := strconv.Atoi(q.Get("limit")); err == nil && n > 0 {
		p.Limit = min(n, mostLimit)
	}
	if n, err := strconv.Atoi(q.Get("offset")); err == nil && n > 0 {
		p.Offset = min(n, math.MaxInt32)
	}
	return p
}

// paged puts one page of a list, converted to the wire, into its envelope.
func paged[D, W any](r *request, items []D, total int, convert func(D) W) answer {
	p := r.page()
	env := pageOf[W]{Count: total, Results: convertAll(items, convert)}
	if p.Offset+p.Limit < total {
		env.Next = r.pageURL(p.Limit, p.Offset+p.Limit)
	}
	if p.Offset > 0 {
		env.Previous = r.pageURL(p.Limit, p.Offset-p.Limit)
	}
	return answer{200, env}
}

// listed puts a whole list into its envelope.
func listed[D, W any](items []D, convert func(D) W) answer {
	return answer{200, listOf[W]{Results: convertAll(items, convert), Count: len(items)}}
}

// convertAll converts a list; it never returns nil, because a null list makes
// clients crash.
func convertAll[D, W any](items []D, convert func(D) W) []W {
	out := make([]W, 0, len(items))
	for _, item := range items {
		out = append(out, convert(item))
	}
	return out
}

// pageURL is the address of another page: this one's, with other limits. The
// first page has no offset.
func (r *request) pageURL(limit, offset int) *string {
	q := url.Values{}
	for name, values := range r.URL.Query() {
		q[name] = values
	}
	q.Set("limit", strconv.Itoa(limit))
	q.Del("offset")
	if offset > 0 {
		q.Set("offset", strconv.Itoa(offset))
	}
	u := r.base + r.URL.EscapedPath() + "?" + q.Encode()
	return &u
}

// version reads "v3" or "3"; empty is 0, which stands for the latest.
func version(field, s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(strings.TrimPrefix(s, "v"))
	if err != nil || n < 1 {
		return 0, platform.FieldErrorf(field, "Expected a version such as v3.")
	}
	return n, nil
}

// split reads "web,worker"; empty is none.
func split(s string) []string {
	var out []string
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
