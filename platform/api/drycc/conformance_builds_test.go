package drycc

import (
	"archive/tar"
	"database/sql"
	"strings"

	"github.com/stretchr/testify/require"
)

// tarball is a source tree of one file.
func tarball(c *cell) {
	var b strings.Builder
	w := tar.NewWriter(&b)
	require.NoError(c.t, w.WriteHeader(&tar.Header{Name: "Dockerfile", Size: 9, Mode: 0o644}))
	_, err := w.Write([]byte("FROM base"))
	require.NoError(c.t, err)
	require.NoError(c.t, w.Close())
	c.vars["tar"] = b.String()
}

// built has a source tree built.
func built(c *cell) {
	tarball(c)
	c.vars["id"] = c.do(anAdmin, "POST /v2/apps/${app}/builds/source/", "${tar}")["uuid"].(string)
}

// building is a run that another server has.
func building(c *cell) {
	db, err := sql.Open("sqlite3", "file:"+c.path+"?_busy_timeout=5000&_foreign_keys=on")
	require.NoError(c.t, err)
	defer db.Close()
	c.vars["id"] = "5f0c1c7e-0000-4000-8000-" + strings.Repeat("0", 12-len(c.vars["n"])) + c.vars["n"]
	_, err = db.ExecContext(c.t.Context(), `INSERT INTO build_runs (uuid, app, runner, username, origin, state, created)
		SELECT ?, number, 'elsewhere', 'adalove', 'git', 'queued', 0 FROM apps WHERE id = ?`, c.vars["id"], c.vars["app"])
	require.NoError(c.t, err)
}

// buildRows are the rows of building from source.
func buildRows() []row {
	return []row{
		{route: "POST /v2/apps/{app}/builds/source/", arrange: tarball, body: "${tar}", status: 201},
		{route: "GET /v2/apps/{app}/builds/runs/", arrange: built, status: 200},
		{route: "GET /v2/apps/{app}/builds/{id}/", arrange: built, status: 200},
		{route: "GET /v2/apps/{app}/builds/{id}/log/", arrange: built, query: "follow=true", status: 200, answer: plainText},
		{route: "POST /v2/apps/{app}/builds/{id}/cancel/", arrange: building, status: 200},
	}
}
