package gitssh

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slipway-paas/slipway/platform"
)

func TestParseCommand(t *testing.T) {
	t.Parallel()
	push, fetch := command{verbPush, "hello"}, command{verbFetch, "hello"}
	tests := map[string]struct {
		want    command
		refusal string
	}{
		"git-receive-pack '/hello.git'":                    {want: push},
		"git-receive-pack 'hello.git'":                     {want: push},
		"git-receive-pack hello.git":                       {want: push},
		"git-receive-pack '/hello'":                        {want: push},
		"git-receive-pack '/hello.git/'":                   {want: push},
		"git receive-pack '/hello.git'":                    {want: push},
		"git-upload-pack '/hello.git'":                     {want: fetch},
		"git upload-pack 'hello.git'":                      {want: fetch},
		"ping":                                             {want: command{verb: verbPing}},
		"ping -c 1":                                        {refusal: unknownCommand},
		"":                                                 {refusal: unknownCommand},
		"git":                                              {refusal: unknownCommand},
		"git push":                                         {refusal: unknownCommand},
		"git-upload-archive '/hello.git'":                  {refusal: unknownCommand},
		"bash":                                             {refusal: unknownCommand},
		"scp -t /tmp":                                      {refusal: unknownCommand},
		"git-receive-pack":                                 {refusal: badRepository},
		"git-receive-pack ''":                              {refusal: badRepository},
		"git-receive-pack '/hello.git":                     {refusal: badRepository},
		"git-receive-pack '/hello.git' x":                  {refusal: badRepository},
		"git-receive-pack '/hello.git'; id":                {refusal: badRepository},
		"git-receive-pack  '/hello.git'":                   {refusal: badRepository},
		"git-receive-pack --help":                          {refusal: badRepository},
		"git-receive-pack '../hello.git'":                  {refusal: badRepository},
		"git-receive-pack '/../git/hello.git'":             {refusal: badRepository},
		"git-receive-pack '/hello.git/../other.git'":       {refusal: badRepository},
		"git-receive-pack '//hello.git'":                   {refusal: badRepository},
		"git-receive-pack '~/hello.git'":                   {refusal: badRepository},
		"git-receive-pack '/a/hello.git'":                  {refusal: badRepository},
		"git-receive-pack '/hello.git\x00.git'":            {refusal: badRepository},
		"git-receive-pack '/hello\n.git'":                  {refusal: badRepository},
		"git-receive-pack '/HELLO.git'":                    {refusal: badRepository},
		"git-receive-pack '/hello%2egit'":                  {refusal: badRepository},
		"git-receive-pack '/hell'\\''o.git'":               {refusal: badRepository},
		"git-receive-pack '/.hooks'":                       {refusal: badRepository},
		"git-receive-pack '/$(id).git'":                    {refusal: badRepository},
		"git-receive-pack '/" + strings.Repeat("a", 64):    {refusal: badRepository},
		"git-receive-pack '/" + strings.Repeat("a", 64000): {refusal: unknownCommand},
		"git-lfs-authenticate hello.git upload":            {refusal: lfsCommand},
	}
	for line, tt := range tests {
		c, refusal := parseCommand(line)
		assert.Equal(t, tt.want, c, "%q", line)
		assert.Equal(t, tt.refusal, refusal, "%q", line)
	}
}

// Whatever comes, a command names one of three verbs and a valid app.
func FuzzParseCommand(f *testing.F) {
	for _, line := range []string{"git-receive-pack '/hello.git'", "git upload-pack hello", "ping", "git-receive-pack '/../x.git'"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c, refusal := parseCommand(line)
		if refusal != "" {
			require.Zero(t, c)
			return
		}
		if c.verb == verbPing {
			require.Equal(t, "ping", line)
			return
		}
		require.Contains(t, []verb{verbPush, verbFetch}, c.verb)
		require.NoError(t, platform.ValidateAppID(c.app))
		require.Contains(t, line, c.app)
	})
}
