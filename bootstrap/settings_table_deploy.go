package bootstrap

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// deploySettings are the guide's settings of deploys and of what apps may
// have. Those that an app's config can override say so.
func deploySettings() []Setting {
	const own = "; an app's config can say otherwise"
	rows := []Setting{
		tunable(Setting{Name: "DRYCC_DEPLOY_BATCHES", Key: "deploy-batches", Default: "number of nodes",
			Meaning: "pods of an app that are replaced at a time" + own}, wholeBetween(1, 3600)),
		tunable(Setting{Name: "DRYCC_DEPLOY_TIMEOUT", Key: "deploy-timeout", Default: "120",
			Meaning: "seconds for each batch of a deploy" + own}, wholeBetween(1, 3600)),
		tunable(Setting{Name: "IMAGE_PULL_POLICY", Key: "image-pull-policy", Default: "IfNotPresent",
			Meaning: "when images of apps are pulled: Always or IfNotPresent" + own}, oneOf("Always", "IfNotPresent")),
		tunable(Setting{Name: "KUBERNETES_DEPLOYMENTS_REVISION_HISTORY_LIMIT", Key: "revision-history-limit", Default: "2",
			Meaning: "old revisions of a Deployment that the cluster keeps; rollbacks need none" + own}, wholeBetween(0, 65535)),
		tunable(Setting{Name: "KUBERNETES_POD_TERMINATION_GRACE_PERIOD_SECONDS", Key: "termination-grace-period", Default: "30",
			Meaning: "seconds that a process may take to stop" + own}, wholeBetween(0, 86400)),
		tunable(Setting{Name: "DRYCC_DEFAULT_CONFIG_TAGS", Key: "default-config-tags",
			Meaning: `labels of the nodes for process types without tags, as JSON: {"role": "worker"}`}, jsonObject),
		tunable(Setting{Name: "DRYCC_DEPLOY_REJECT_IF_PROCFILE_MISSING", Key: "reject-if-procfile-missing", Default: "false",
			Meaning: "refuse a build without Procfile when the one before had one"}, oneOf("true", "false")),
		tunable(Setting{Name: "DRYCC_DEPLOY_PROCFILE_MISSING_REMOVE", Key: "procfile-missing-remove", Default: "true",
			Meaning: "a build without Procfile removes the process types of the one before; false keeps them"}, oneOf("true", "false")),
		tunable(Setting{Name: "RESERVED_NAMES", Key: "reserved-names",
			Meaning: "names that apps may not have, with commas between, beside those of the platform"}, anyText),
		tunable(Setting{Name: "KUBERNETES_NAMESPACE_DEFAULT_QUOTA_SPEC", Key: "default-quota-spec",
			Meaning: `ResourceQuota of every app, as JSON: {"spec":{"hard":{"pods":"10"}}}`}, jsonObject),
		tunable(Setting{Name: "KUBERNETES_NAMESPACE_DEFAULT_LIMIT_RANGES_SPEC", Key: "default-limit-ranges-spec",
			Meaning: "LimitRange of every app, as JSON"}, jsonObject),
		tunable(Setting{Name: "LIMITS", Key: "limits", Default: "28 plans of 1 to 64 cores",
			Meaning: "specs and plans of limits: a JSON file, or the JSON itself"}, limitsText),
		tunable(Setting{Name: "SLIPWAY_POD_SECURITY", Key: "pod-security", Default: "baseline",
			Meaning: "pod security level that apps have to keep: baseline, or restricted, with which images that run as root do not start"},
			oneOf("baseline", "restricted")),
		tunable(Setting{Name: "SLIPWAY_BUILDS_AT_ONCE", Key: "builds-at-once", Default: "1",
			Meaning: "builds from source that run at a time; the others wait, and see how many come before"}, wholeBetween(1, 64)),
		tunable(Setting{Name: "SLIPWAY_BUILD_TIMEOUT", Key: "build-timeout", Default: "1800",
			Meaning: "seconds that one build from source may take, waiting apart"}, wholeBetween(1, 86400)),
		tunable(Setting{Name: "SLIPWAY_BUILD_HISTORY", Key: "build-history", Default: "20",
			Meaning: "builds from source that are remembered of each app, with up to 4 MB of log each"}, wholeBetween(1, 1000)),
		tunable(Setting{Name: "SLIPWAY_BUILD_SOURCE_LIMIT", Key: "build-source-limit", Default: "1024",
			Meaning: "MB that an uploaded source tree may have, before and after it is unpacked"}, wholeBetween(1, 1<<20)),
	}
	return append(rows, refused(groupController, "GUNICORN_WORKERS", "number of worker processes",
		"the controller is one process, which answers as many requests at once as there are"))
}

func wholeBetween(low, high int) func(v string) (string, string) {
	return func(v string) (string, string) {
		if n, err := strconv.Atoi(v); err != nil || n < low || n > high {
			return "is not a number that fits", fmt.Sprintf("use a whole number from %d to %d", low, high)
		}
		return "", ""
	}
}

func oneOf(known ...string) func(v string) (string, string) {
	return func(v string) (string, string) {
		for _, k := range known {
			if v == k {
				return "", ""
			}
		}
		return "is not known", "use " + strings.Join(known, " or ")
	}
}

func jsonObject(v string) (string, string) {
	var object map[string]any
	if err := json.Unmarshal([]byte(v), &object); err != nil {
		return "is no JSON object", `write an object such as {"name": "value"}`
	}
	return "", ""
}

func limitsText(v string) (string, string) {
	if strings.HasPrefix(strings.TrimSpace(v), "{") {
		return jsonObject(v)
	}
	if !filepath.IsAbs(v) {
		return "is neither JSON nor the path of a file", "give the whole path, from / on, or the JSON itself"
	}
	return "", ""
}
