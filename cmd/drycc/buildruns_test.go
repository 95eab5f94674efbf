package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
	"github.com/slipway-paas/slipway/platform/platformtest"
)

// carpenter is a builder that says which files it got.
type carpenter struct{ *platformtest.Builder }

// Build lists the tree; one with a file that has the word broken is so.
func (c carpenter) Build(ctx context.Context, order control.BuildOrder, log io.Writer) (control.NewBuild, error) {
	file, err := os.Open(order.Tar)
	if err != nil {
		return control.NewBuild{}, err
	}
	defer file.Close()
	names, broken := "", false
	for r := tar.NewReader(file); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return control.NewBuild{}, err
		}
		text, err := io.ReadAll(r)
		if err != nil {
			return control.NewBuild{}, err
		}
		if h.Typeflag == tar.TypeReg {
			names += h.Name + " "
		}
		broken = broken || strings.Contains(string(text), "broken")
	}
	if _, err := fmt.Fprintln(log, names); err != nil {
		return control.NewBuild{}, err
	}
	if broken {
		return control.NewBuild{}, platform.Errorf(platform.Invalid, "step 2 ended with code 1")
	}
	return c.Builder.Build(ctx, order, log)
}

func newCarpenter() carpenter { return carpenter{platformtest.NewBuilder()} }
