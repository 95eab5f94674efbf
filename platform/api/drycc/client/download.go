package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// downloads is where the controller's machine keeps the client programs.
const downloads = "/cli/"

// Health asks whether the controller is alive.
func (c *Client) Health(ctx context.Context) error {
	var body string
	_, err := c.anonymous().do(ctx, call{method: http.MethodGet, path: "/healthz", out: &body})
	return err
}

// ServerVersions returns the versions that the controller reports of its API
// and of itself.
func (c *Client) ServerVersions(ctx context.Context) (api, platform string, err error) {
	res, err := c.anonymous().send(ctx, call{method: http.MethodGet, path: "/healthz"})
	if err != nil {
		return "", "", err
	}
	defer res.Body.Close()
	for name, values := range res.Header {
		switch strings.ToUpper(name) {
		case "DRYCC_API_VERSION":
			api = values[0]
		case "DRYCC_PLATFORM_VERSION":
			platform = values[0]
		}
	}
	return api, platform, nil
}

// CarriedVersion returns the version of the client that the controller's
// machine carries for download.
func (c *Client) CarriedVersion(ctx context.Context) (string, error) {
	var version string
	_, err := c.anonymous().do(ctx, call{method: http.MethodGet, path: downloads + "version", out: &version})
	return strings.TrimSpace(version), err
}

// Download writes the client program for a system to w, and fails when it is
// not the one whose sha256 the controller names.
func (c *Client) Download(ctx context.Context, goos, goarch string, w io.Writer) error {
	name := "drycc-" + goos + "-" + goarch
	if goos == "windows" {
		name += ".exe"
	}
	anonymous := c.anonymous()
	var want string
	if _, err := anonymous.do(ctx, call{method: http.MethodGet, path: downloads + name + ".sha256", out: &want}); err != nil {
		return err
	}
	want, _, _ = strings.Cut(strings.TrimSpace(want), " ")
	res, err := anonymous.send(ctx, call{method: http.MethodGet, path: downloads + name})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return newError(call{method: http.MethodGet, path: downloads + name}, res, nil)
	}
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, sum), res.Body); err != nil {
		return fmt.Errorf("download of %s: %w", name, err)
	}
	if have := hex.EncodeToString(sum.Sum(nil)); have != want {
		return fmt.Errorf("download of %s: its sha256 is %s, the controller names %s: try again", name, have, want)
	}
	return nil
}
