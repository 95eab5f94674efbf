package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"
)

// verify shows that the recipes give the same bytes again: each is built from a
// copy of its sources in another folder with empty caches of Go, and compared
// with the entry in the cache, which is built first if it is missing. keep is
// set by tests, which have no time to compile Go's library: it keeps Go's cache.
func verify(ctx context.Context, b *builder, c cache, recipes []recipe, jobs int, keep bool) error {
	first, err := buildAll(ctx, b, c, recipes, jobs)
	if err != nil {
		return err
	}
	scratch, done, err := c.scratch("verify")
	if err != nil {
		return fmt.Errorf("payload: verify: %w", err)
	}
	defer done()
	again := *b
	again.src = filepath.Join(scratch, "a folder with another name")
	if !keep {
		again.env = []string{"GOCACHE=" + filepath.Join(scratch, "gocache")}
	}
	if err := os.CopyFS(again.src, os.DirFS(b.src)); err != nil {
		return fmt.Errorf("payload: verify: %w", err)
	}
	var group errgroup.Group
	group.SetLimit(jobs)
	differ := make([]error, len(recipes))
	for i, r := range recipes {
		group.Go(func() error {
			differ[i] = again.compare(ctx, c, r, first[i])
			return nil
		})
	}
	_ = group.Wait()
	return errors.Join(differ...)
}

// compare builds r once more and reports what is not as in want.
func (b *builder) compare(ctx context.Context, c cache, r recipe, want entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	scratch, done, err := c.scratch(r.Name)
	if err != nil {
		return fmt.Errorf("payload: verify %s: %w", r.Name, err)
	}
	defer done()
	in, err := b.inputs(ctx, r)
	if err != nil {
		return fmt.Errorf("payload: verify %s: %w", r.Name, err)
	}
	got, err := b.build(ctx, r, in, scratch)
	if err != nil {
		return fmt.Errorf("payload: verify %s: %w", r.Name, err)
	}
	var differ []error
	for i, m := range want.Members {
		if i >= len(got.Members) || got.Members[i] != m {
			differ = append(differ, fmt.Errorf("payload: verify %s: %s came out different", r.Name, m.File))
		}
	}
	if len(differ) == 0 {
		b.log.line("payload: %-23s the same bytes again", r.Name)
	}
	return errors.Join(differ...)
}
