package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Pods lists what runs.
func (c *Client) Pods(ctx context.Context, app string) ([]Pod, error) {
	return whole[Pod](ctx, c, appPath(app, "pods"), url.Values{"limit": {"1000"}})
}

// DescribePod lists a pod's containers.
func (c *Client) DescribePod(ctx context.Context, app, pod string) ([]PodContainer, error) {
	return whole[PodContainer](ctx, c, appPath(app, "pods", pod, "describe"), nil)
}

// DeletePods ends pods; others take their place.
func (c *Client) DeletePods(ctx context.Context, app string, pods []string) error {
	return c.exec(ctx, http.MethodDelete, appPath(app, "pods"), map[string]string{"pod_ids": strings.Join(pods, ",")})
}

// PodEvents lists what happened to a pod, oldest first.
func (c *Client) PodEvents(ctx context.Context, app, pod string) ([]Event, error) {
	return whole[Event](ctx, c, appPath(app, "events"), query("pod_name", pod))
}

// Ptypes lists the process types that are deployed.
func (c *Client) Ptypes(ctx context.Context, app string) ([]Ptype, error) {
	return whole[Ptype](ctx, c, appPath(app, "ptypes"), url.Values{"limit": {"1000"}})
}

// DescribePtype lists the containers of a process type.
func (c *Client) DescribePtype(ctx context.Context, app, ptype string) ([]PtypeContainer, error) {
	return whole[PtypeContainer](ctx, c, appPath(app, "ptypes", app+"-"+ptype, "describe"), nil)
}

// PtypeEvents lists what happened to a process type, oldest first.
func (c *Client) PtypeEvents(ctx context.Context, app, ptype string) ([]Event, error) {
	return whole[Event](ctx, c, appPath(app, "events"), query("ptype", app+"-"+ptype))
}

// Scale sets how many pods run of each process type.
func (c *Client) Scale(ctx context.Context, app string, counts map[string]int) error {
	return c.exec(ctx, http.MethodPost, appPath(app, "ptypes", "scale"), counts)
}

// Restart replaces the pods of some process types, of all when none is named.
func (c *Client) Restart(ctx context.Context, app string, ptypes []string) error {
	return c.exec(ctx, http.MethodPost, appPath(app, "ptypes", "restart"), map[string]string{"ptypes": strings.Join(ptypes, ",")})
}

// Clean removes process types that the latest release no longer has.
func (c *Client) Clean(ctx context.Context, app string, ptypes []string) error {
	return c.exec(ctx, http.MethodPost, appPath(app, "ptypes", "clean"), map[string]string{"ptypes": strings.Join(ptypes, ",")})
}

// versionQuery asks for a release; none for the latest.
func versionQuery(version int) url.Values {
	if version <= 0 {
		return nil
	}
	return url.Values{"version": {"v" + strconv.Itoa(version)}}
}
