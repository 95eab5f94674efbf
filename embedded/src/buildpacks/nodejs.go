package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// nodeHome is where the builder has Node.js and npm.
const nodeHome = "/opt/node"

func detectNode(s *source) (bool, string) {
	return s.has("package.json"), "no package.json"
}

// nodeBuild is one build of a Node.js app.
type nodeBuild struct {
	*source
	p       packageFile
	version string // of Node.js, "v24.1.0"
	env     []string
}

// buildNode installs what package.json names, runs its build script and adds
// Node.js to the image.
func buildNode(ctx context.Context, s *source) error {
	p, err := s.packageJSON()
	if err != nil {
		return err
	}
	b := &nodeBuild{source: s, p: p}
	if b.version, err = s.output(ctx, nil, "node", "--version"); err != nil {
		return err
	}
	s.say("Node.js %s", b.version)
	if err := b.checkEngine(ctx); err != nil {
		return err
	}
	b.env = []string{"npm_config_cache=" + filepath.Join(s.layerDir("npm"), "cache"),
		"npm_config_update_notifier=false", "npm_config_fund=false", "npm_config_audit=false", "CI=true"}
	if err := b.install(ctx); err != nil {
		return npmProblem(err)
	}
	return b.start()
}

// checkEngine refuses an app that says it needs another Node.js.
func (b *nodeBuild) checkEngine(ctx context.Context) error {
	wanted := strings.TrimSpace(b.p.Engines.Node)
	if wanted == "" {
		return nil
	}
	script := `process.stdout.write(String(require("` + nodeHome + `/lib/node_modules/npm/node_modules/semver").satisfies(process.version, process.argv[1])))`
	fits, err := b.output(ctx, nil, "node", "-e", script, "--", wanted)
	if err != nil {
		return err
	}
	if fits != "true" {
		return sourceErrorf("package.json asks for Node.js %q (engines.node); this builder has %s.\nChange engines.node, or name another builder in the file .pack-builder, or add a Dockerfile.", wanted, b.version)
	}
	return nil
}

// install fills node_modules and runs the build script.
func (b *nodeBuild) install(ctx context.Context) error {
	builds := b.p.Scripts["build"] != ""
	if b.has("node_modules") {
		b.say("node_modules is part of the source: nothing is installed")
		return b.buildScript(ctx)
	}
	if len(b.p.Dependencies)+len(b.p.DevDependencies)+len(b.p.Optional) == 0 {
		b.say("package.json names no dependencies")
		return b.buildScript(ctx)
	}
	if !b.locked() {
		b.say("Warning: there is no package-lock.json, so each build may take other versions.")
	}
	if builds && len(b.p.DevDependencies) > 0 {
		if err := b.modules(ctx, "tools", layer{Cache: true, Key: b.key("all")}, "--include=dev"); err != nil {
			return err
		}
		if err := b.buildScript(ctx); err != nil {
			return err
		}
		if err := os.Remove(filepath.Join(b.app, "node_modules")); err != nil {
			return err
		}
		return b.modules(ctx, "modules", layer{Launch: true, Cache: true, Key: b.key("production")}, "--omit=dev")
	}
	if err := b.modules(ctx, "modules", layer{Launch: true, Cache: true, Key: b.key("production")}, "--omit=dev"); err != nil {
		return err
	}
	return b.buildScript(ctx)
}

func (b *nodeBuild) locked() bool { return b.has("package-lock.json") || b.has("npm-shrinkwrap.json") }

// key changes with all that decides what is installed. Without a lock file the
// same package.json can lead to newer versions; those come when it changes or
// when the cache is cleared.
func (b *nodeBuild) key(kind string) string {
	sum := sha256.New()
	for _, name := range []string{"package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc"} {
		raw, err := b.read(name)
		if err == nil {
			_, _ = sum.Write([]byte(name + "\x00" + string(raw) + "\x00"))
		}
	}
	return kind + " " + b.version + " " + hex.EncodeToString(sum.Sum(nil))
}

// modules makes node_modules a link to a layer that holds the packages, those
// of an earlier build if they are the same.
func (b *nodeBuild) modules(ctx context.Context, name string, l layer, which string) error {
	if err := b.declare("npm", layer{Cache: true}); err != nil {
		return err
	}
	link := filepath.Join(b.app, "node_modules")
	target := filepath.Join(b.layerDir(name), "node_modules")
	if b.kept(name, l) {
		b.say("The packages are those of the last build")
		// The restored file says what the layer is, but not any more what for.
		return errors.Join(b.declare(name, l), os.Symlink(target, link))
	}
	dir, err := b.fresh(name)
	if err != nil {
		return err
	}
	// npm puts a folder in the place of a link, so it installs beside and the
	// folder moves into the layer.
	args := []string{"install", which}
	if b.locked() {
		args[0] = "ci"
	}
	b.say("npm %s", strings.Join(args, " "))
	if err := b.runs(ctx, b.env, "npm", append(args, "--prefer-offline", "--no-progress")...); err != nil {
		return err
	}
	if !b.has("node_modules") {
		if err := os.Mkdir(link, 0o755); err != nil {
			return err
		}
	}
	if err := b.pinLinks(link); err != nil {
		return err
	}
	if err := moveTree(ctx, b.source, link, dir); err != nil {
		return err
	}
	return errors.Join(b.declare(name, l), os.Symlink(target, link))
}

// pinLinks makes the links to packages that are part of the source, which are
// relative, lead there from anywhere.
func (b *nodeBuild) pinLinks(modules string) error {
	var links []string
	for _, pattern := range []string{"*", "@*/*"} {
		found, err := filepath.Glob(filepath.Join(modules, pattern))
		if err != nil {
			return err
		}
		links = append(links, found...)
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || filepath.IsAbs(target) {
			continue // a folder, or a link that leads there already
		}
		if err := os.Remove(link); err != nil {
			return err
		}
		if err := os.Symlink(filepath.Join(filepath.Dir(link), target), link); err != nil {
			return err
		}
	}
	return nil
}

// moveTree moves a folder into another one, which is on another file system.
func moveTree(ctx context.Context, s *source, from, into string) error {
	if _, err := s.output(ctx, nil, "cp", "-a", from, into); err != nil {
		return err
	}
	return os.RemoveAll(from)
}

func (b *nodeBuild) buildScript(ctx context.Context) error {
	if b.p.Scripts["build"] == "" {
		return nil
	}
	b.say("npm run build")
	return b.runs(ctx, b.env, "npm", "run", "build")
}

// start adds Node.js and the process that serves. A site that was only built
// with Node.js needs neither.
func (b *nodeBuild) start() error {
	web := b.p.web(b.source)
	if web == "" && !b.has("Procfile") {
		return b.withoutStart()
	}
	l := layer{Launch: true, Key: b.version}
	if !b.kept("node", l) {
		dir, err := b.fresh("node")
		if err != nil {
			return err
		}
		if err := os.CopyFS(dir, os.DirFS(nodeHome)); err != nil {
			return err
		}
		if err := b.launchEnv("node", "NODE_ENV", "production"); err != nil {
			return err
		}
	}
	if err := b.declare("node", l); err != nil {
		return err
	}
	if web == "" {
		return nil
	}
	b.say("web: %s", web)
	return b.launch([]process{{Type: webProcess, Command: shell(web), Default: true}})
}

// withoutStart accepts an app without a start script when the static buildpack
// will serve what was built.
func (b *nodeBuild) withoutStart() error {
	if _, err := b.siteRoot(); err == nil && (b.p.Scripts["build"] != "" || b.has("Staticfile")) {
		return nil
	}
	return sourceErrorf("Nothing says how the app is started. Add a start script to package.json, or a Procfile with a line such as \"web: node server.js\".")
}

// web is the command that serves, "" if package.json does not say. A start
// script of one program runs without npm, which would only take memory and
// stand between it and the signals.
func (p packageFile) web(s *source) string {
	start := strings.TrimSpace(p.Scripts["start"])
	plain := regexp.MustCompile(`^node [\w./ =-]+$`).MatchString(start)
	switch {
	case start == "" && s.has("server.js"):
		return "node server.js"
	case start == "":
		return ""
	case plain && p.Scripts["prestart"] == "":
		return start
	}
	return "npm start"
}

// npmProblem adds the cure to a failure that has a usual one.
func npmProblem(err error) error {
	var failed *commandError
	switch {
	case !errors.As(err, &failed):
		return err
	case offline(err):
		return sourceErrorf("npm could not reach its registry.\nCommit the folder node_modules, or set the build variable npm_config_registry to a registry that the platform can reach.")
	case strings.Contains(failed.said, "can only install packages when your package.json and package-lock.json"):
		return sourceErrorf("package-lock.json does not fit package.json. Run `npm install` and commit package-lock.json.")
	case strings.Contains(failed.said, "not found: make") || strings.Contains(failed.said, "gyp ERR!"):
		return sourceErrorf("A package has to be compiled, and this builder has no C compiler. Use a release of it with a ready-made binary, or add a Dockerfile.")
	}
	return sourceErrorf("%s failed; what it said is above.", failed.line)
}
