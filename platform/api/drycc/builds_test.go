package drycc

import (
	"archive/tar"
	"strings"

	"github.com/slipway-paas/slipway/platform"
	"github.com/slipway-paas/slipway/platform/control"
)

// treeIn makes the body of a request in a story a tar file when it is written
// as "tar name=text".
func treeIn(body string) string {
	rest, ok := strings.CutPrefix(body, "tar ")
	if !ok {
		return body
	}
	name, text, _ := strings.Cut(rest, "=")
	var b strings.Builder
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Mode: 0o644}) // a Builder takes all
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

// directBuilds knows the directives of building from source.
func (s *stage) directBuilds(words []string) bool {
	switch strings.Join(words[:min(2, len(words))], " ") {
	case "builds fail": // builds fail <text>: what is wrong with every source tree
		s.builder.Refuse(func(control.BuildOrder) error {
			return platform.Errorf(platform.Invalid, "%s", strings.Join(words[2:], " "))
		})
	case "builds hold": // the next one builds until "! go"
		s.gate = s.builder.Hold()
	case "builds pass":
		s.builder.Refuse(nil)
	default:
		return false
	}
	return true
}
