package helm

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/charts"
)

// noted are the annotations of all pod templates of a manifest, by object.
func noted(t *testing.T, manifest string) map[string]string {
	t.Helper()
	objects, err := parse(manifest)
	require.NoError(t, err)
	found := map[string]string{}
	for _, o := range objects {
		if note, ok := dig(o, "spec", "template", "metadata", "annotations")[imagesAnnotation].(string); ok {
			found[dig(o, "metadata")["name"].(string)] = note
		}
	}
	return found
}

func TestPodsNoteTheContentOfTheirImages(t *testing.T) {
	for _, c := range charts.List() {
		manifest, err := Render(c, charts.Defaults())
		require.NoError(t, err)
		images, err := Images([]charts.Chart{c}, charts.Defaults())
		require.NoError(t, err)
		digests := map[string]string{}
		for _, ref := range images {
			digests[ref] = "sha256:one"
		}
		first, err := imageNotes{digests}.Run(bytes.NewBufferString(manifest))
		require.NoError(t, err)
		before := noted(t, first.String())
		assert.NotEmpty(t, before, c.Name)
		again, err := imageNotes{digests}.Run(bytes.NewBufferString(manifest))
		require.NoError(t, err)
		assert.Equal(t, first.String(), again.String(), "the same images make the same manifest")

		for _, ref := range images {
			digests[ref] = "sha256:two"
		}
		second, err := imageNotes{digests}.Run(bytes.NewBufferString(manifest))
		require.NoError(t, err)
		for name, note := range noted(t, second.String()) {
			assert.NotEqual(t, before[name], note, "%s %s", c.Name, name)
		}

		// Nothing else changes.
		want, err := parse(manifest)
		require.NoError(t, err)
		got, err := parse(first.String())
		require.NoError(t, err)
		for _, o := range got {
			if notes := dig(o, "spec", "template", "metadata", "annotations"); notes != nil {
				delete(notes, imagesAnnotation)
			}
		}
		for _, o := range append(want, got...) { // an empty list of them says the same as none
			if meta := dig(o, "spec", "template", "metadata"); meta != nil && len(dig(meta, "annotations")) == 0 {
				delete(meta, "annotations")
			}
		}
		assert.Equal(t, want, got, c.Name)
	}
}

func TestImagesOfOthersAreNotNoted(t *testing.T) {
	manifest := "---\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers: [{image: example.com/a:1}]\n---\nkind: ConfigMap\n"
	out, err := imageNotes{map[string]string{"slipway.internal/a:1": "sha256:one"}}.Run(bytes.NewBufferString(manifest))
	require.NoError(t, err)
	assert.Empty(t, noted(t, out.String()))
}

// A program that differs in the content of an image only makes a new revision.
func TestApplyUpgradesWhenAnImageIsAnother(t *testing.T) {
	l, c := newLab(t), chartNamed(t, "storage")
	l.settled(t, c)
	images, err := Images([]charts.Chart{c}, charts.Defaults())
	require.NoError(t, err)
	for i, digest := range []string{"sha256:one", "sha256:one", "sha256:two"} {
		l.Images = map[string]string{images[0]: digest}
		require.NoError(t, l.Apply(t.Context(), c, charts.Defaults(), nil))
		last, err := l.stores[c.Namespace].Last(c.Release)
		require.NoError(t, err)
		assert.Equal(t, []int{1, 1, 2}[i], last.Version)
		assert.NotEmpty(t, noted(t, last.Manifest))
	}
}
