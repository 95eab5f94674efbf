package drycc

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

// newKey makes a public key that no other cell has.
func newKey(c *cell) {
	seed := sha256.Sum256([]byte(c.vars["app"]))
	key, err := ssh.NewPublicKey(ed25519.NewKeyFromSeed(seed[:]).Public())
	require.NoError(c.t, err)
	public, err := json.Marshal(string(ssh.MarshalAuthorizedKey(key)))
	require.NoError(c.t, err)
	c.vars["public"], c.vars["fingerprint"] = string(public), ssh.FingerprintLegacyMD5(key)
}

// ownedKey gives the owner a key.
func ownedKey(c *cell) {
	newKey(c)
	c.vars["id"] = "root@vm / " + c.vars["n"]
	c.do(theOwner, "POST /v2/keys/", `{"id": "${id}", "public": ${public}}`)
}

// memberKey gives the admin of the workspace a key.
func memberKey(c *cell) {
	newKey(c)
	c.do(anAdmin, "POST /v2/keys/", `{"id": "${app}", "public": ${public}}`)
}

// hookRows are the rows of keys, builder hooks and builds.
func hookRows() []row {
	const pushed = `"receive_user": "adalove", "receive_repo": "${app}"`
	return []row{
		{route: "GET /v2/keys/", status: 200},
		{route: "POST /v2/keys/", arrange: newKey, body: `{"id": "${app}", "public": ${public}}`, status: 201},
		{route: "GET /v2/keys/{id}/", arrange: ownedKey, status: 200},
		{route: "DELETE /v2/keys/{id}/", arrange: ownedKey, status: 204},

		{route: "GET /v2/hooks/key/{fingerprint}/", arrange: memberKey, status: 200, answer: "{username:str apps:[str]}"},
		{route: "GET /v2/hooks/keys/{app}/", arrange: memberKey, status: 200, answer: "{*:[{key:str fingerprint:str}]}"},
		{route: "GET /v2/hooks/keys/{app}/{username}/", arrange: memberKey, status: 200, missing: 403, answer: "{*:[{key:str fingerprint:str}]}"},
		{route: "POST /v2/hooks/config/", body: `{` + pushed + `}`, status: 200},
		{route: "POST /v2/hooks/build/", body: `{` + pushed + `, "image": "127.0.0.1:5555/${app}/${app}:git-060da68f", "sha": "060da68f", "stack": "container"}`,
			status: 200, answer: "{release:{version:int}}"},
		{route: "POST /v2/alerts/", body: `{"workspace": "adalove", "alerts": [{"title": "down", "severity": "critical"}]}`, status: 204},

		{route: "GET /v2/apps/{app}/builds/", arrange: deploy, status: 200},
		{route: "POST /v2/apps/{app}/builds/", body: `{"image": "slipway.internal/hello:1"}`, status: 201},
	}
}
