package bootstrap

import "regexp"

// builderSettings say what builds may have.
func builderSettings() []Setting {
	return []Setting{
		tunable(Setting{Name: "SLIPWAY_BUILD_CPU", Key: "build-cpu", Default: "half of the node's cores, at least 1",
			Meaning: "cores that all builds together may use: 2, or 1500m"}, quantityLike(`^[0-9]+(\.[0-9]+)?m?$`, "write a number of cores: 2, 0.5 or 500m")),
		tunable(Setting{Name: "SLIPWAY_BUILD_MEMORY", Key: "build-memory", Default: "2Gi",
			Meaning: "memory that all builds together may use; a step that takes more is killed"}, quantityLike(`^[0-9]+(\.[0-9]+)?(Mi|Gi)$`, "write a size: 512Mi or 4Gi")),
		tunable(Setting{Name: "SLIPWAY_BUILD_PROCESSES", Key: "build-processes", Default: "2048",
			Meaning: "processes that one step of a build may have"}, wholeBetween(16, 4_000_000)),
		tunable(Setting{Name: "SLIPWAY_BUILD_DISK", Key: "build-disk", Default: "10240",
			Meaning: "megabytes that a build may write"}, wholeBetween(64, 100_000_000)),
		tunable(Setting{Name: "SLIPWAY_BUILD_CACHE", Key: "build-cache", Default: "10240",
			Meaning: "megabytes of steps and base images that are kept for the next builds"}, wholeBetween(64, 100_000_000)),
		tunable(Setting{Name: "SLIPWAY_BUILD_KEEP_FREE", Key: "build-keep-free", Default: "10",
			Meaning: "percent of the disk that builds leave free; with less free, none begins"}, wholeBetween(1, 90)),
		tunable(Setting{Name: "SLIPWAY_BUILD_USER_NAMESPACE", Key: "build-user-namespace", Default: "where the machine is able to",
			Meaning: "whether root in a build is nobody on the node: true or false"}, oneOf("true", "false")),
		tunable(Setting{Name: "SLIPWAY_BUILD_SOURCE_FILES", Key: "build-source-files", Default: "100000",
			Meaning: "files that a source tree may have"}, wholeBetween(1, 100_000_000)),
		tunable(Setting{Name: "SLIPWAY_IMAGES_KEEP", Key: "images-keep", Default: "20",
			Meaning: "releases of an app, the newest, whose images stay in the registry for rolling back"}, wholeBetween(1, 100_000)),
		tunable(Setting{Name: "SLIPWAY_IMAGES_EVERY", Key: "images-every", Default: "1440",
			Meaning: "minutes between two removals of older images"}, wholeBetween(1, 1_000_000)),
		tunable(Setting{Name: "SLIPWAY_BUILD_PACK_BUILDER", Key: "build-pack-builder", Default: "the carried one",
			Meaning: "builder image of Cloud Native Buildpacks for apps that name none"}, imageName),
	}
}

// imageName accepts what a registry could have.
func imageName(v string) (string, string) {
	if !regexp.MustCompile(`^[a-z0-9][A-Za-z0-9._:/@-]*$`).MatchString(v) {
		return "is no image", "write its full name: docker.io/heroku/builder:24"
	}
	return "", ""
}

func quantityLike(expression, cure string) func(v string) (string, string) {
	valid := regexp.MustCompile(expression)
	return func(v string) (string, string) {
		if !valid.MatchString(v) {
			return "is no such amount", cure
		}
		return "", ""
	}
}
