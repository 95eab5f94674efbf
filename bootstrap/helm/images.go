package helm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// imagesAnnotation is on the pods of charts: a digest of what their images are.
const imagesAnnotation = "slipway.internal/images"

// imageNotes is Helm's last step before a manifest is applied. It notes on the
// templates of pods what their images contain, so that a program that carries
// another content under the same name replaces the pods: a reference names the
// version of the upstream program only.
type imageNotes struct{ digests map[string]string }

// Run annotates the pod templates of a manifest. Other objects pass as they are.
func (n imageNotes) Run(rendered *bytes.Buffer) (*bytes.Buffer, error) {
	if len(n.digests) == 0 {
		return rendered, nil
	}
	docs := strings.Split("\n"+rendered.String(), "\n---")
	for i, doc := range docs {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(doc), &object); err != nil {
			return nil, fmt.Errorf("manifest: %w", err)
		}
		if !n.note(object) {
			continue
		}
		changed, err := yaml.Marshal(object)
		if err != nil {
			return nil, fmt.Errorf("manifest: %w", err)
		}
		docs[i] = "\n" + strings.TrimSuffix(string(changed), "\n")
	}
	return bytes.NewBufferString(strings.TrimPrefix(strings.Join(docs, "\n---"), "\n") + "\n"), nil
}

// note annotates the object's pod template and reports whether it has one with
// a carried image.
func (n imageNotes) note(object map[string]any) bool {
	template := dig(object, "spec", "template")
	if dig(template, "spec") == nil {
		return false
	}
	found := map[string]bool{}
	collectImages(template, found)
	var lines []string
	for _, ref := range slices.Sorted(maps.Keys(found)) {
		if digest, carried := n.digests[ref]; carried {
			lines = append(lines, ref+" "+digest)
		}
	}
	if len(lines) == 0 {
		return false
	}
	meta := dig(template, "metadata")
	if meta == nil {
		meta = map[string]any{}
		template["metadata"] = meta
	}
	notes := dig(meta, "annotations")
	if notes == nil {
		notes = map[string]any{}
		meta["annotations"] = notes
	}
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	notes[imagesAnnotation] = hex.EncodeToString(sum[:8])
	return true
}

// dig is the object at a path of keys, nil when there is none.
func dig(object map[string]any, path ...string) map[string]any {
	for _, key := range path {
		object, _ = object[key].(map[string]any)
	}
	return object
}
