//go:build !payload

package embedded

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWithoutPayload(t *testing.T) {
	require.False(t, Available())
	_, err := Load()
	require.ErrorIs(t, err, ErrNoPayload)
	require.ErrorIs(t, Stage(t.Context(), Dest{Bin: t.TempDir()}, nil), ErrNoPayload)
	require.Contains(t, err.Error(), "make")
}
