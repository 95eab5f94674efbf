package bootstrap

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFormerDomains(t *testing.T) {
	s, _, err := Load(Input{Flags: map[string]string{
		"PLATFORM_DOMAIN": "new.example.com", "SLIPWAY_FORMER_DOMAINS": "Old.example.com., slipway.localhost,,old.example.com,new.example.com"}})
	require.NoError(t, err)
	assert.Equal(t, []string{"old.example.com", "slipway.localhost"}, s.FormerDomains)

	file, err := s.ConfigFile()
	require.NoError(t, err)
	again, _, err := Load(Input{Config: file})
	require.NoError(t, err)
	assert.Equal(t, s.FormerDomains, again.FormerDomains)

	var many []string
	for i := range mostFormerDomains + 1 {
		many = append(many, fmt.Sprintf("d%d.example.com", i))
	}
	for given, want := range map[string]string{
		"ok.example.com,10.0.0.1": "is an address", "one": "has one label", "a.b/c": "is not a bare name",
		strings.Join(many, ","): "more than",
	} {
		problem, cure := formerDomains(&Settings{}, given)
		assert.Contains(t, problem, want, given)
		assert.NotEmpty(t, cure, given)
	}
}

func TestMoveTo(t *testing.T) {
	s := DefaultSettings()
	s.MoveTo("slipway.localhost")
	assert.Empty(t, s.FormerDomains, "no move")
	s.MoveTo("a.example.com")
	s.MoveTo("b.example.com")
	assert.Equal(t, []string{"a.example.com", "slipway.localhost"}, s.FormerDomains)
	s.MoveTo("a.example.com") // back again
	assert.Equal(t, "a.example.com", s.Domain)
	assert.Equal(t, []string{"b.example.com", "slipway.localhost"}, s.FormerDomains)
	for i := range 2 * mostFormerDomains {
		s.MoveTo(fmt.Sprintf("d%d.example.com", i))
	}
	assert.Len(t, s.FormerDomains, mostFormerDomains)
	assert.Equal(t, "d38.example.com", s.FormerDomains[0])
}
