package drycc

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// play runs a story and returns it with the answers that were given.
//
//	# text                    said to the reader
//	! word arguments          a directive
//	> who METHOD /path        a request
//	| body                    and its body
//	< status                  the answer
//	< body
func (s *stage) play(story string) string {
	var out []string
	lines := strings.Split(story, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "< "):
			continue
		case strings.HasPrefix(line, "! "):
			s.direct(line[2:])
			out = append(out, line)
		case strings.HasPrefix(line, "> "):
			first := strings.Fields(line[2:])
			require.Len(s.t, first, 3, "line %d", i+1)
			out = append(out, line)
			var body []string
			for i+1 < len(lines) && strings.HasPrefix(lines[i+1], "| ") {
				i++
				body = append(body, lines[i][2:])
				out = append(out, lines[i])
			}
			for _, l := range s.tidy(s.request(first[0], first[1], first[2], strings.Join(body, "\n"))) {
				out = append(out, "< "+l)
			}
		default:
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.story")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	covered, ran := map[string]bool{}, 0
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".story"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			s := newStage(t, outside(strings.TrimSuffix(filepath.Base(file), ".story"))...)
			ran++
			got := s.play(string(want))
			for name := range s.covered {
				covered[name] = true
			}
			assert.NotContains(t, s.log.String(), password)
			assert.NotContains(t, s.log.String(), "hunter2", "a config value")
			assert.NotContains(t, s.log.String(), serviceKey)
			assert.NotContains(t, s.log.String(), "PRIVATE KEY")
			for _, token := range s.tokens {
				assert.NotContains(t, s.log.String(), token)
			}
			assert.Empty(t, s.cluster.Overlaps())
			if *updateFlag {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
				return
			}
			assert.Equal(t, string(want), got)
		})
	}
	if ran < len(files) {
		return // -run picked some
	}
	for _, r := range routes() {
		if r.socket {
			continue // socket_test.go has these
		}
		assert.True(t, covered[r.method+" "+r.pattern], "no story takes %s %s", r.method, r.pattern)
	}
}
