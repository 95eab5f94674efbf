package kube

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-paas/slipway/platform"
)

// Labels and annotations that this package writes and selects by.
const (
	labelApp       = "app"
	labelHeritage  = "heritage"
	labelType      = "type"
	labelVersion   = "version"
	labelClass     = "class"
	labelOwnerApp  = "drycc.cc/app"
	labelWorkspace = "drycc.cc/workspace"

	annotationManagedBy   = "app.kubernetes.io/managed-by"
	annotationChangeCause = "kubernetes.io/change-cause"
	annotationServing     = "drycc.cc/serving"     // the last version that became ready
	annotationQuota       = "drycc.cc/quota"       // on a namespace that was given a quota
	annotationLimitRange  = "drycc.cc/limit-range" // the same for limits of new pods
	annotationFor         = "drycc.cc/for"         // the process type that a job is run for
	annotationRestarted   = "kubectl.kubernetes.io/restartedAt"

	heritage  = "drycc"
	classEnv  = "env"
	classPull = "pull"
	classEdge = "edge" // what shows an app to the outside
	classRun  = "run"  // a command that runs once, and all of it
	classStep = "step" // the same before a release

	// fieldManager owns every field this package applies.
	fieldManager = "slipway"

	portName = "http" // of the container; the Service refers to it by name

	maxLabel = 63  // characters in a DNS label
	maxKey   = 253 // characters in a key of a Secret
)

func workloadName(app, ptype string) string { return app + "-" + ptype }

// containerName is the workload's name, shortened to a DNS label: app and
// process type may have 63 characters each.
func containerName(app, ptype string) string {
	name := workloadName(app, ptype)
	if len(name) <= maxLabel {
		return name
	}
	return strings.TrimRight(name[:maxLabel-9], "-") + "-" + digest(name)
}

func versionName(version int) string { return "v" + strconv.Itoa(version) }

func envSecretName(app, ptype string, version int) string {
	return workloadName(app, ptype) + "-" + versionName(version) + "-env"
}

// pullSecretName carries the version, so that a failing release with wrong
// credentials leaves those of the serving one alone.
func pullSecretName(ptype string, version int) string {
	return "private-registry-" + ptype + "-" + versionName(version)
}

// appLabels are on every object of an app.
func appLabels(a platform.App) map[string]string {
	return map[string]string{
		labelApp:       a.ID,
		labelHeritage:  heritage,
		labelOwnerApp:  a.ID,
		labelWorkspace: a.Workspace,
	}
}

func appAnnotations(a platform.App) map[string]string {
	return map[string]string{
		annotationManagedBy: "drycc",
		labelOwnerApp:       a.ID,
		labelWorkspace:      a.Workspace,
	}
}

// selectorLabels pick the pods of one process type; they never change.
func selectorLabels(app, ptype string) map[string]string {
	return map[string]string{labelApp: app, labelHeritage: heritage, labelType: ptype}
}

// appSelector picks the workload objects of an app as a selector string.
func appSelector(app string) string {
	return labelApp + "=" + app + "," + labelHeritage + "=" + heritage
}

func with(m map[string]string, pairs ...string) map[string]string {
	out := maps.Clone(m)
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

// secretKeys gives each environment name the key of the Secret that holds its
// value: lower case with dashes. Names that would share a key, or make one
// that Kubernetes refuses, get a key with a digest of the name.
func secretKeys(env map[string]string) map[string]string {
	keys, taken := map[string]string{}, map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		key := strings.Map(keyRune, strings.ToLower(name))
		if taken[key] || key == "" || key[0] == '.' || len(key) > maxKey {
			key = "key-" + digest(name)
		}
		taken[key], keys[name] = true, key
	}
	return keys
}

func keyRune(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '.':
		return r
	}
	return '-'
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:4])
}
