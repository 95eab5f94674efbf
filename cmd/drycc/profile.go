package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// profile is the configuration file: which controller, and as whom. Members
// that we do not know are kept as they are.
type profile struct {
	Username      string
	SSLVerify     bool
	Controller    string
	Token         string
	ResponseLimit int
	Workspace     string

	path  string
	other map[string]json.RawMessage
}

const defaultResponseLimit = 100

// members are the names in the file and where their values go.
func (p *profile) members() map[string]any {
	return map[string]any{
		"username": &p.Username, "ssl_verify": &p.SSLVerify, "controller": &p.Controller,
		"token": &p.Token, "response_limit": &p.ResponseLimit, "workspace": &p.Workspace,
	}
}

// loadProfile reads the file; one that is not there is an empty profile.
func loadProfile(path string) (*profile, error) {
	p := &profile{path: path, SSLVerify: true, ResponseLimit: defaultResponseLimit, other: map[string]json.RawMessage{}}
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	if err := json.Unmarshal(raw, &p.other); err != nil {
		return nil, curable(fmt.Errorf("configuration file %s: %w", path, err), "Remove the file and log in again.")
	}
	for name, into := range p.members() {
		value, ok := p.other[name]
		if !ok {
			continue
		}
		if err := json.Unmarshal(value, into); err != nil {
			return nil, curable(fmt.Errorf("configuration file %s: %s: %w", path, name, err), "Remove the file and log in again.")
		}
	}
	return p, nil
}

// save writes the file whole or not at all, for the user's eyes only.
func (p *profile) save() (err error) {
	for name, value := range p.members() {
		raw, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("configuration file: %s: %w", name, err)
		}
		p.other[name] = raw
	}
	raw, err := json.MarshalIndent(p.other, "", "  ")
	if err != nil {
		return fmt.Errorf("configuration file: %w", err)
	}
	path := p.path
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // people link it into their dotfiles
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("configuration file: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".client-") // made with mode 0600
	if err != nil {
		return fmt.Errorf("configuration file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("configuration file: %w", err), os.Remove(temp.Name()))
		}
	}()
	_, err = temp.Write(append(raw, '\n'))
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// profilePath is -c, else DRYCC_PROFILE, else the default. What is no path and
// does not end in .json is a name beside the default.
func (p *program) profilePath() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", curable(fmt.Errorf("configuration file: %w", err), "Name one with -c FILE.")
	}
	chosen := p.config
	if chosen == "" {
		chosen = p.env("DRYCC_PROFILE")
	}
	switch {
	case chosen == "":
		return filepath.Join(home, ".drycc", "client.json"), nil
	case chosen == "~" || strings.HasPrefix(chosen, "~/") || strings.HasPrefix(chosen, `~\`):
		return filepath.Join(home, chosen[1:]), nil
	case strings.HasSuffix(chosen, ".json") || strings.ContainsAny(chosen, `/\`):
		return chosen, nil
	}
	return filepath.Join(home, ".drycc", chosen+".json"), nil
}
