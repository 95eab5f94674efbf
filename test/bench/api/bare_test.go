//go:build e2e

package api

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	_ "github.com/mattn/go-sqlite3" // the same driver
)

// bareApp, bareRelease and bareCondition are what the API answers.
type bareApp struct {
	UUID      string          `json:"uuid"`
	ID        string          `json:"id"`
	UID       int64           `json:"uid"`
	Workspace string          `json:"workspace"`
	Structure json.RawMessage `json:"structure"`
	Created   time.Time       `json:"created"`
	Updated   time.Time       `json:"updated"`
}

type bareRelease struct {
	UUID           string          `json:"uuid"`
	App            string          `json:"app"`
	Version        int             `json:"version"`
	State          string          `json:"state"`
	Summary        string          `json:"summary"`
	Failed         bool            `json:"failed"`
	Exception      *string         `json:"exception"`
	Conditions     []bareCondition `json:"conditions"`
	DeployedPtypes []string        `json:"deployed_ptypes"`
	Config         string          `json:"config"`
	Build          *string         `json:"build"`
	Created        time.Time       `json:"created"`
	Updated        time.Time       `json:"updated"`
}

type bareCondition struct {
	State   string    `json:"state"`
	Action  string    `json:"action"`
	Ptypes  []string  `json:"ptypes"`
	Created time.Time `json:"created"`
}

type barePage struct {
	Count    int     `json:"count"`
	Next     *string `json:"next"`
	Previous *string `json:"previous"`
	Results  any     `json:"results"`
}

// bareServer is what somebody writes in an afternoon: the queries for what is
// answered and nothing else, no accounts, no permissions, no limits, no log.
type bareServer struct{ read, write *sql.DB }

func bare(_ context.Context, file string) (http.Handler, func() error, error) {
	dsn := "file:" + file + "?_journal_mode=WAL&_busy_timeout=5000&_synchronous=FULL"
	read, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return nil, nil, err
	}
	read.SetMaxOpenConns(6)
	read.SetMaxIdleConns(6)
	write, err := sql.Open("sqlite3", dsn+"&_txlock=immediate")
	if err != nil {
		return nil, nil, err
	}
	write.SetMaxOpenConns(1)
	if _, err := write.Exec(`CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, app TEXT NOT NULL, body TEXT NOT NULL)`); err != nil {
		return nil, nil, err
	}
	s := &bareServer{read, write}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/apps/{$}", s.apps)
	mux.HandleFunc("GET /v2/apps/{app}/{$}", s.app)
	mux.HandleFunc("GET /v2/apps/{app}/releases/{$}", s.releases)
	mux.HandleFunc("POST /v2/apps/{app}/config/{$}", s.config)
	return mux, func() error { _ = read.Close(); return write.Close() }, nil
}

const bareColumns = `SELECT a.uuid, a.id, a.number, w.id, a.structure, a.created, a.updated FROM apps a JOIN workspaces w ON w.number = a.workspace `

func (a *bareApp) scan(row interface{ Scan(...any) error }) error {
	var structure string
	var created, updated int64
	err := row.Scan(&a.UUID, &a.ID, &a.UID, &a.Workspace, &structure, &created, &updated)
	a.Structure, a.Created, a.Updated = json.RawMessage(structure), moment(created), moment(updated)
	return err
}

func (s *bareServer) app(w http.ResponseWriter, r *http.Request) {
	var a bareApp
	err := a.scan(s.read.QueryRowContext(r.Context(), bareColumns+`WHERE a.id = ?`, r.PathValue("app")))
	reply(w, a, err)
}

func (s *bareServer) apps(w http.ResponseWriter, r *http.Request) {
	var count int
	if err := s.read.QueryRowContext(r.Context(), `SELECT count(*) FROM apps`).Scan(&count); err != nil {
		reply(w, nil, err)
		return
	}
	list := []bareApp{}
	err := s.each(r.Context(), func(rows *sql.Rows) error {
		var a bareApp
		err := a.scan(rows)
		list = append(list, a)
		return err
	}, bareColumns+`ORDER BY a.id LIMIT 100`)
	page := barePage{Count: count, Results: list}
	if count > len(list) {
		next := "http://" + r.Host + "/v2/apps/?limit=100&offset=100"
		page.Next = &next
	}
	reply(w, page, err)
}

func (s *bareServer) releases(w http.ResponseWriter, r *http.Request) {
	conditions := map[int][]bareCondition{}
	err := s.each(r.Context(), func(rows *sql.Rows) error {
		var v int
		var c bareCondition
		var ptypes string
		var created int64
		err := rows.Scan(&v, &c.State, &c.Action, &ptypes, &created)
		c.Ptypes, c.Created = words(ptypes), moment(created)
		conditions[v] = append(conditions[v], c)
		return err
	}, `SELECT r.version, c.state, c.action, c.ptypes, c.created FROM apps a JOIN releases r ON r.app = a.number
		JOIN conditions c ON c.release = r.uuid WHERE a.id = ? ORDER BY c.id DESC`, r.PathValue("app"))
	if err != nil {
		reply(w, nil, err)
		return
	}
	list := []bareRelease{}
	err = s.each(r.Context(), func(rows *sql.Rows) error {
		var v bareRelease
		var ptypes string
		var created, updated int64
		err := rows.Scan(&v.UUID, &v.App, &v.Version, &v.State, &v.Summary, &ptypes, &v.Config, &v.Build, &created, &updated)
		v.Created, v.Updated, v.DeployedPtypes = moment(created), moment(updated), words(ptypes)
		if v.Conditions = conditions[v.Version]; v.Conditions == nil {
			v.Conditions = []bareCondition{}
		}
		if v.State == "pending" {
			v.State = "created"
		}
		list = append(list, v)
		return err
	}, `SELECT r.uuid, a.id, r.version, r.state, r.summary, r.ptypes, r.config, r.build, r.created, r.updated
		FROM releases r JOIN apps a ON a.number = r.app WHERE a.id = ? ORDER BY r.version DESC LIMIT 100`, r.PathValue("app"))
	reply(w, barePage{Count: len(list), Results: list}, err)
}

func moment(n int64) time.Time { return time.UnixMicro(n).UTC().Truncate(time.Second) }

func words(s string) []string {
	if s = strings.Trim(s, ","); s == "" {
		return []string{}
	}
	return strings.Split(s, ",")
}

func (s *bareServer) each(ctx context.Context, f func(*sql.Rows) error, query string, args ...any) error {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// config keeps what it is sent, in one row.
func (s *bareServer) config(w http.ResponseWriter, r *http.Request) {
	var body map[string]any
	err := json.NewDecoder(r.Body).Decode(&body)
	if err == nil {
		text, _ := json.Marshal(body) // it was JSON a moment ago
		_, err = s.write.ExecContext(r.Context(), `INSERT INTO bare (app, body) VALUES (?, ?)`, r.PathValue("app"), string(text))
	}
	reply(w, body, err)
}

func reply(w http.ResponseWriter, body any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // a client that went away
}
