package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/slipway-paas/slipway/platform"
)

// configBody is the part of a config that is kept in the clear, and
// configSecret the part that is sealed: values and credentials, and what may
// hold some, such as a header of a probe.
type configBody struct {
	ValuesRefs map[string][]string          `json:"values_refs,omitempty"`
	Limits     map[string]string            `json:"limits,omitempty"`
	Tags       map[string]map[string]string `json:"tags,omitempty"`
	Grace      map[string]string            `json:"termination_grace_period,omitempty"`
}

type configSecret struct {
	Values      []configValue                `json:"values,omitempty"`
	Registry    map[string]map[string]string `json:"registry,omitempty"`
	Healthcheck map[string]map[string]any    `json:"healthcheck,omitempty"`
	Lifecycle   map[string]map[string]any    `json:"lifecycle,omitempty"`
}

type configValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Group string `json:"group,omitempty"`
	Ptype string `json:"ptype,omitempty"`
}

func configPlace(uuid string) string { return "configs/" + uuid }
func buildPlace(uuid string) string  { return "builds/" + uuid }

func (s *Store) insertConfig(ctx context.Context, tx *sql.Tx, app int64, c platform.Config) error {
	body, err := toJSON(configBody{ValuesRefs: c.ValuesRefs, Limits: c.Limits, Tags: c.Tags, Grace: c.TerminationGrace})
	if err != nil {
		return err
	}
	secret := configSecret{Registry: c.Registry, Healthcheck: c.Healthcheck, Lifecycle: c.Lifecycle}
	for _, v := range c.Values {
		secret.Values = append(secret.Values, configValue(v))
	}
	plain, err := json.Marshal(secret)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO configs (uuid, app, body, sealed, created, updated) VALUES (?, ?, ?, ?, ?, ?)`,
		c.UUID, app, body, s.seal.seal(configPlace(c.UUID), plain), micros(c.Created), micros(c.Updated))
	return err
}

// FindConfig finds by uuid. Its maps are never nil.
func (s *Store) FindConfig(ctx context.Context, uuid string) (platform.Config, error) {
	c := platform.Config{UUID: uuid}
	var text string
	var sealed []byte
	var created, updated int64
	err := s.read.QueryRowContext(ctx, `SELECT a.id, c.body, c.sealed, c.created, c.updated
		FROM configs c JOIN apps a ON a.number = c.app WHERE c.uuid = ?`, uuid).Scan(&c.App, &text, &sealed, &created, &updated)
	if err == nil {
		err = s.decodeConfig(&c, text, sealed)
	}
	c.Created, c.Updated = fromMicros(created), fromMicros(updated)
	return c, fault("store.FindConfig", "Config", err)
}

func (s *Store) decodeConfig(c *platform.Config, text string, sealed []byte) error {
	var body configBody
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		return fmt.Errorf("config %s: %w", c.UUID, err)
	}
	plain, err := s.seal.open(configPlace(c.UUID), sealed)
	if err != nil {
		return fmt.Errorf("config %s: %w", c.UUID, err)
	}
	var secret configSecret
	if err := json.Unmarshal(plain, &secret); err != nil {
		return fmt.Errorf("config %s: %w", c.UUID, err)
	}
	for _, v := range secret.Values {
		c.Values = append(c.Values, platform.ConfigValue(v))
	}
	c.ValuesRefs, c.Limits, c.Tags = orEmpty(body.ValuesRefs), orEmpty(body.Limits), orEmpty(body.Tags)
	c.TerminationGrace, c.Registry = orEmpty(body.Grace), orEmpty(secret.Registry)
	c.Healthcheck, c.Lifecycle = orEmpty(secret.Healthcheck), orEmpty(secret.Lifecycle)
	return nil
}

func (s *Store) insertBuild(ctx context.Context, tx *sql.Tx, app int64, b platform.Build) error {
	procfile, err := toJSON(orEmpty(b.Procfile))
	if err != nil {
		return err
	}
	var sealed []byte
	if b.Dryccfile != nil {
		sealed = s.seal.seal(buildPlace(b.UUID), b.Dryccfile)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO builds (uuid, app, image, stack, sha, procfile, dockerfile, sealed, created, updated)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		b.UUID, app, b.Image, b.Stack, b.SHA, procfile, b.Dockerfile, sealed, micros(b.Created), micros(b.Updated))
	return err
}
