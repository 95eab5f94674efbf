package checkup

import (
	"errors"
	"strings"
	"testing"

	"github.com/slipway-paas/slipway/bootstrap/doctor"
	"github.com/slipway-paas/slipway/bootstrap/host"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestImagesOfOtherVersions(t *testing.T) {
	const list = `{"images":[
		{"id":"sha256:1","repoTags":["slipway.internal/pause:2"],"size":"1048576"},
		{"id":"sha256:2","repoTags":["slipway.internal/pause:1"],"size":"1048576"},
		{"id":"sha256:3","repoTags":["slipway.internal/traefik:1"],"size":"104857600"},
		{"id":"sha256:4","repoTags":["slipway.internal/hello:1","registry.example.com/hello:1"],"size":"9"},
		{"id":"sha256:5","repoTags":["docker.io/library/nginx:1"],"size":"9"},
		{"id":"sha256:6","repoTags":[],"size":"9"}]}`
	h, o, _ := good()
	o.Images = []string{"slipway.internal/pause:2"}
	h.Commands["/var/lib/slipway/bin/crictl"] = true
	containers := `{"containers":[{"image":{"image":"sha256:3"},"imageRef":"sha256:3"}]}`
	h.OnRun = func(c host.Command) (host.Output, error) {
		line := strings.Join(c.Args, " ")
		switch {
		case strings.HasSuffix(line, "images -o json"):
			return host.Output{Stdout: []byte(list)}, nil
		case strings.HasSuffix(line, "ps -a -o json"):
			return host.Output{Stdout: []byte(containers)}, nil
		case strings.HasSuffix(line, "rmi slipway.internal/pause:1") || c.Name == "systemctl":
			return host.Output{}, nil
		}
		return host.Output{}, errors.New("unexpected: " + line)
	}
	found := run(t, h, o)
	require.Len(t, found, 1)
	assert.Equal(t, doctor.Note, found[0].Severity)
	assert.Equal(t, "1, 1 MiB: slipway.internal/pause:1", found[0].Evidence, "in use, of others, or with a name of another stays")
	require.NoError(t, found[0].Fix.Do(t.Context(), &recorder{}))

	o.Images = []string{"slipway.internal/pause:1", "slipway.internal/pause:2"}
	assert.Empty(t, run(t, h, o))
}
