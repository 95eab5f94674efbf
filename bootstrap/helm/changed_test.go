package helm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/charts"
)

func TestChanged(t *testing.T) {
	l := newLab(t)
	registry, storage := chartNamed(t, "registry"), chartNamed(t, "storage")
	list := []charts.Chart{registry, storage}
	names, err := l.Changed(t.Context(), list, settings())
	require.NoError(t, err)
	require.Equal(t, []string{"registry", "storage"}, names, "nothing is installed")

	l.settled(t, list...)
	require.NoError(t, l.ApplyAll(t.Context(), list, settings(), nil))
	l.AppVersion = "v9.9.9"
	names, err = l.Changed(t.Context(), list, settings())
	require.NoError(t, err)
	require.Empty(t, names, "another version of the program alone is no change")

	other := settings()
	other.RegistrySize = "77Gi"
	names, err = l.Changed(t.Context(), list, other)
	require.NoError(t, err)
	require.Equal(t, []string{"registry"}, names)
}
