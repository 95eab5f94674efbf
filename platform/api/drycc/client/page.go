package client

import (
	"context"
	"net/url"
	"strconv"
)

// pageSize is how many objects are asked for at once.
const pageSize = 100

// Page is one piece of a list, and how long the whole is.
type Page[T any] struct {
	Count   int `json:"count"`
	Results []T `json:"results"`
}

// list reads a list from its beginning: the first limit objects, or all of
// them when limit is not positive. Count is the length of the whole list.
func list[T any](ctx context.Context, c *Client, path string, query url.Values, limit int) (Page[T], error) {
	all := Page[T]{Results: []T{}}
	for {
		size := pageSize
		if limit > 0 {
			size = min(size, limit-len(all.Results))
		}
		q := url.Values{}
		for name, values := range query {
			q[name] = values
		}
		q.Set("limit", strconv.Itoa(size))
		if len(all.Results) > 0 {
			q.Set("offset", strconv.Itoa(len(all.Results)))
		}
		page, err := get[Page[T]](ctx, c, path, q)
		if err != nil {
			return all, err
		}
		all.Count = page.Count
		all.Results = append(all.Results, page.Results...)
		switch n := len(all.Results); {
		case len(page.Results) == 0, n >= page.Count:
			return all, nil
		case limit > 0 && n >= limit:
			all.Results = all.Results[:limit]
			return all, nil
		}
	}
}

// whole reads a list that the controller never cuts.
func whole[T any](ctx context.Context, c *Client, path string, query url.Values) ([]T, error) {
	page, err := get[Page[T]](ctx, c, path, query)
	if page.Results == nil {
		page.Results = []T{}
	}
	return page.Results, err
}

// query makes the query of the pairs whose value is not empty.
func query(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}
