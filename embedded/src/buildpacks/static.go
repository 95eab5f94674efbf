package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// staticServer is the program in the builder that serves a folder.
const staticServer = "/cnb/slipway/serve"

// siteFolders are looked at in this order.
func siteFolders() []string { return []string{"public", "dist", "build", "_site", "out"} }

func detectStatic(s *source) (bool, string) {
	looked := "no Staticfile, no index.html here or in " + strings.Join(siteFolders(), ", ")
	if s.has("package.json") {
		// The folder is there only when Node.js has built it.
		p, err := s.packageJSON()
		builds := err == nil && p.Scripts["build"] != "" && p.web(s) == ""
		return s.has("Staticfile") || builds && !s.says(webProcess), looked
	}
	_, err := s.siteRoot()
	return err == nil, looked
}

// buildStatic adds the server and has it serve the site's folder.
func buildStatic(_ context.Context, s *source) error {
	root, err := s.siteRoot()
	if err != nil {
		return err
	}
	dir, err := s.fresh("serve")
	if err != nil {
		return err
	}
	if err := copyProgram(staticServer, filepath.Join(dir, "bin", "serve")); err != nil {
		return err
	}
	if err := s.declare("serve", layer{Launch: true}); err != nil {
		return err
	}
	command := []string{"serve", "-root", root}
	if s.staticfile()["pushstate"] == "enabled" {
		command = append(command, "-pushstate")
	}
	s.say("web: serves the folder %s", root)
	return s.launch([]process{{Type: webProcess, Command: command, Default: true}})
}

// staticfile reads the settings of a Staticfile, "name: value" lines.
func (s *source) staticfile() map[string]string {
	settings := map[string]string{}
	raw, err := s.read("Staticfile")
	if err != nil {
		return settings
	}
	for line := range strings.Lines(string(raw)) {
		line, _, _ = strings.Cut(line, "#")
		if name, value, ok := strings.Cut(line, ":"); ok {
			settings[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return settings
}

// siteRoot is the folder to serve, relative to the source.
func (s *source) siteRoot() (string, error) {
	if root := s.staticfile()["root"]; root != "" {
		if !filepath.IsLocal(root) || !s.has(root) {
			return "", sourceErrorf("The Staticfile names the root %q, which is no folder of the source.", root)
		}
		return filepath.Clean(root), nil
	}
	for _, folder := range siteFolders() {
		if s.has(filepath.Join(folder, "index.html")) {
			return folder, nil
		}
	}
	if s.has("index.html") || s.has("Staticfile") {
		return ".", nil
	}
	return "", sourceErrorf("There is no index.html in %s. Name the folder of the site in a file Staticfile: \"root: <folder>\".", strings.Join(siteFolders(), ", "))
}

func copyProgram(from, to string) (err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// packageFile is what buildpacks read of a package.json.
type packageFile struct {
	Main    string            `json:"main"`
	Scripts map[string]string `json:"scripts"`
	Engines struct {
		Node string `json:"node"`
	} `json:"engines"`
	Dependencies    map[string]string `json:"dependencies"`
	DevDependencies map[string]string `json:"devDependencies"`
	Optional        map[string]string `json:"optionalDependencies"`
}

func (s *source) packageJSON() (packageFile, error) {
	var p packageFile
	raw, err := s.read("package.json")
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return p, sourceErrorf("package.json: %v", err)
	}
	return p, nil
}
