package api

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestLimiterMemoryIsBounded(t *testing.T) {
	l := newLimiter(Limits{Keys: 10}.orDefault())
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for i := range 1000 {
		l.allow(now, fmt.Sprint("stranger ", i), "")
		l.allow(now, "friend", "")
		assert.LessOrEqual(t, len(l.young)+len(l.old), 20)
	}
	_, ok := l.allow(now, "friend", "")
	assert.False(t, ok, "who comes all the time is remembered")
}
