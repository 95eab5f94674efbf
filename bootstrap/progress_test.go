package bootstrap

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestPlainProgress(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, false, nil, fixedClock)
	p.Begin(1, 12, "preflight")
	p.Note("not shown")
	p.End(300*time.Millisecond, false)
	p.Begin(2, 12, "stage")
	p.End(0, true)
	p.Begin(3, 12, "a step with a very long name")
	p.Fail(61 * time.Second)
	assert.Equal(t, "[ 1/12] preflight ............... 0.3s\n"+
		"[ 2/12] stage ................... as it should be\n"+
		"[ 3/12] a step with a very long name ... FAILED after 61.0s\n", out.String())
}

func TestBarProgress(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, true, func() int { return 60 }, fixedClock)
	p.Begin(3, 4, "node ready")
	p.Note("waiting for a very long list of pods that does not fit the line\nsecond line")
	p.End(6200*time.Millisecond, false)
	text := out.String()
	assert.Contains(t, text, "\r\x1b[K[##########----------] 3/4 node ready 0.0s")
	assert.True(t, strings.HasSuffix(text, "\r\x1b[K[3/4] node ready .............. 6.2s\n"), text)
	for _, line := range strings.Split(text, "\r\x1b[K") {
		assert.LessOrEqual(t, len(strings.TrimSuffix(line, "\n")), 59, "the line would wrap")
	}
	assert.NotContains(t, text, "second line")
	assert.Equal(t, 1, strings.Count(text, "\n"))
}
