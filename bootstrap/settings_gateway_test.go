package bootstrap

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGatewayPorts(t *testing.T) {
	for given, want := range map[string]string{
		"5432/tcp":                            "5432/TCP",
		"8080/HTTP, 8443/https,9000-9002/TLS": "8080/HTTP,8443/HTTPS,9000/TLS,9001/TLS,9002/TLS",
		"20000-20029/TCP":                     "",
	} {
		var s Settings
		problem, _ := gatewayPorts(&s, given)
		assert.Empty(t, problem, given)
		if want != "" {
			assert.Equal(t, want, showGatewayPorts(s))
		}
	}
	for given, want := range map[string]string{
		"5432":            "names no protocol",
		"53/UDP":          "names no protocol",
		"/TCP":            "has no ports",
		"9-5/TCP":         "has no ports",
		"0/TCP":           "has no ports",
		"65536/TCP":       "has no ports",
		"a/TCP":           "has no ports",
		"443/TCP":         "which the platform itself listens on",
		"9000-9600/TCP":   "too many",
		"20-23/TCP":       "port 22, which",
		"80-90/HTTP":      "port 80, which",
		"1/TCP,1/HTTP":    "twice",
		"20000-20030/TCP": "too many",
	} {
		s := Settings{GatewayPorts: []GatewayPort{{1, "TCP"}}}
		problem, cure := gatewayPorts(&s, given)
		assert.Contains(t, problem, want, given)
		assert.NotEmpty(t, cure, given)
		assert.Len(t, s.GatewayPorts, 1, "unchanged")
	}
}
