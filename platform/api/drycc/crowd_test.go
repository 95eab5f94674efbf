package drycc

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestManyClientsAtOnce lets many clients make, deploy, change and read apps
// at once, each its own and all one together.
func TestManyClientsAtOnce(t *testing.T) {
	s := newStage(t)
	require.Equal(t, http.StatusCreated, s.send("adalove", "POST", "/v2/apps/", `{"id": "shared"}`).Code)
	require.Equal(t, http.StatusCreated, s.send("adalove", "POST", "/v2/apps/shared/build/", `{"image": "slipway.internal/hello:1"}`).Code)
	const clients = 8
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			own := fmt.Sprintf("client%d", i)
			for _, step := range []struct{ method, path, body string }{
				{"POST", "", fmt.Sprintf(`{"id": %q}`, own)},
				{"POST", own + "/build/", `{"image": "slipway.internal/hello:1"}`},
				{"POST", own + "/config/", `{"values": {"A": "b"}}`},
				{"POST", own + "/ptypes/scale/", `{"web": 3}`},
				{"POST", "shared/config/", fmt.Sprintf(`{"values": {"CLIENT_%d": "was here"}}`, i)},
				{"GET", "", ""}, {"GET", "shared/releases/", ""},
			} {
				w := s.send("adalove", step.method, "/v2/apps/"+step.path, step.body)
				assert.Less(t, w.Code, 300, "%s %s: %s", step.method, step.path, w.Body)
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, s.core.Idle(ctx))

	var config struct{ Values []valueWire }
	require.NoError(t, json.Unmarshal(s.send("adalove", "GET", "/v2/apps/shared/config/", "").Body.Bytes(), &config))
	assert.Len(t, config.Values, clients, "no change is lost")
	var releases struct{ Count int }
	require.NoError(t, json.Unmarshal(s.send("adalove", "GET", "/v2/apps/shared/releases/", "").Body.Bytes(), &releases))
	assert.Equal(t, 2+clients, releases.Count)
	for i := range clients {
		pods := s.send("adalove", "GET", fmt.Sprintf("/v2/apps/client%d/pods/", i), "").Body.String()
		assert.Equal(t, 3, strings.Count(pods, `"release":"v3"`), pods)
	}
	assert.Empty(t, s.cluster.Overlaps())
}
