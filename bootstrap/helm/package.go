package helm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"sigs.k8s.io/yaml"

	"github.com/slipway-paas/slipway/charts"
)

// kubeVersion stands for the cluster's when none is asked.
const kubeVersion = "v1.35.0"

// loaded is a chart ready to be applied.
type loaded struct {
	chart  *chart.Chart
	values map[string]any
	images imageNotes
	digest string // of files, values, program version and images; fits a label
}

// load reads a chart and works out its values. A value its schema refuses is an
// error that names the value.
func load(c charts.Chart, s charts.Settings, appVersion string, images map[string]string) (*loaded, error) {
	root, err := c.Files()
	if err != nil {
		return nil, err
	}
	files, err := readAll(root)
	if err != nil {
		return nil, err
	}
	parsed, err := loader.LoadFiles(files)
	if err != nil {
		return nil, err
	}
	if appVersion != "" {
		parsed.Metadata.AppVersion = appVersion
	}
	// Through JSON, so that values are of the types Helm itself would read.
	encoded, err := json.Marshal(c.Values(s))
	if err != nil {
		return nil, fmt.Errorf("values: %w", err)
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(encoded, &values); err != nil {
		return nil, fmt.Errorf("values: %w", err)
	}
	merged, err := chartutil.CoalesceValues(parsed, values)
	if err != nil {
		return nil, fmt.Errorf("values: %w", err)
	}
	if err := chartutil.ValidateAgainstSchema(parsed, merged); err != nil {
		return nil, fmt.Errorf("values: %w", err)
	}
	return &loaded{chart: parsed, values: values, images: imageNotes{images}, digest: digest(files, encoded, appVersion, images)}, nil
}

func readAll(root fs.FS) ([]*loader.BufferedFile, error) {
	var files []*loader.BufferedFile
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		files = append(files, &loader.BufferedFile{Name: name, Data: data})
		return nil
	})
	return files, err
}

// digest covers all that decides what a release contains. fs.WalkDir is sorted,
// so equal charts have equal digests.
func digest(files []*loader.BufferedFile, values []byte, appVersion string, images map[string]string) string {
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%s %d\n", f.Name, len(f.Data))
		h.Write(f.Data)
	}
	fmt.Fprintf(h, "values %d\n%s\nversion %s\n", len(values), values, appVersion)
	for _, ref := range slices.Sorted(maps.Keys(images)) {
		fmt.Fprintf(h, "image %s %s\n", ref, images[ref])
	}
	return hex.EncodeToString(h.Sum(nil))[:40]
}

// Render is the manifest a chart makes of the settings, without a cluster. Its
// CRDs, which are applied apart from it, are not in it.
func Render(c charts.Chart, s charts.Settings) (string, error) {
	pkg, err := load(c, s, "", nil)
	if err != nil {
		return "", fmt.Errorf("chart %s: %w", c.Name, err)
	}
	version, err := chartutil.ParseKubeVersion(kubeVersion)
	if err != nil {
		return "", err
	}
	cfg := &action.Configuration{
		Log:            func(string, ...any) {},
		HookOutputFunc: func(_, _, _ string) io.Writer { return io.Discard },
	}
	install := action.NewInstall(cfg)
	install.ClientOnly = true
	install.DryRun = true
	install.DryRunOption = "client"
	install.KubeVersion = version
	install.ReleaseName = c.Release
	install.Namespace = c.Namespace
	rel, err := install.Run(pkg.chart, pkg.values)
	if err != nil {
		return "", fmt.Errorf("chart %s: %w", c.Name, err)
	}
	return rel.Manifest, nil
}

// Images is every image the charts' pods run, sorted, each once.
func Images(list []charts.Chart, s charts.Settings) ([]string, error) {
	found := map[string]bool{}
	for _, c := range list {
		manifest, err := Render(c, s)
		if err != nil {
			return nil, err
		}
		objects, err := parse(manifest)
		if err != nil {
			return nil, fmt.Errorf("chart %s: %w", c.Name, err)
		}
		for _, o := range objects {
			collectImages(o, found)
		}
	}
	var images []string
	for ref := range found {
		images = append(images, ref)
	}
	slices.Sort(images)
	return images, nil
}

// collectImages finds the "image" of containers at any depth, and in objects
// that are kept as text in a ConfigMap (the volume helper's pod).
func collectImages(value any, found map[string]bool) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			ref, isText := inner.(string)
			switch {
			case isText && key == "image":
				found[ref] = true
			case isText && strings.HasSuffix(key, ".yaml"):
				var object map[string]any
				if yaml.Unmarshal([]byte(ref), &object) == nil {
					collectImages(object, found)
				}
			case !isText:
				collectImages(inner, found)
			}
		}
	case []any:
		for _, inner := range v {
			collectImages(inner, found)
		}
	}
}

// parse splits a manifest into its objects, in order.
func parse(manifest string) ([]map[string]any, error) {
	var objects []map[string]any
	for _, doc := range strings.Split("\n"+manifest, "\n---") {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(doc), &object); err != nil {
			return nil, fmt.Errorf("manifest: %w", err)
		}
		if len(object) > 0 {
			objects = append(objects, object)
		}
	}
	return objects, nil
}
