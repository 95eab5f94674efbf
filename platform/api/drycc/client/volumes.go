package client

import (
	"context"
	"net/http"
)

// Volumes lists an app's volumes.
func (c *Client) Volumes(ctx context.Context, app string, limit int) (Page[Volume], error) {
	return list[Volume](ctx, c, appPath(app, "volumes"), nil, limit)
}

// Volume returns one volume.
func (c *Client) Volume(ctx context.Context, app, name string) (Volume, error) {
	return get[Volume](ctx, c, appPath(app, "volumes", name), nil)
}

// VolumeRequest is a volume to be made. Size is like "2G"; Type is csi, nfs or
// oss, and the last two need parameters.
type VolumeRequest struct {
	Name       string         `json:"name"`
	Size       string         `json:"size"`
	Type       string         `json:"type,omitempty"`
	Parameters map[string]any `json:"parameters,omitempty"`
}

// CreateVolume makes a volume.
func (c *Client) CreateVolume(ctx context.Context, app string, in VolumeRequest) (Volume, error) {
	return send[Volume](ctx, c, http.MethodPost, appPath(app, "volumes"), in)
}

// ExpandVolume makes a volume larger.
func (c *Client) ExpandVolume(ctx context.Context, app, name, size string) (Volume, error) {
	return send[Volume](ctx, c, http.MethodPatch, appPath(app, "volumes", name), map[string]string{"name": name, "size": size})
}

// MountVolume mounts a volume at paths, by process type; nil unmounts. The
// answer is the volume as it was before.
func (c *Client) MountVolume(ctx context.Context, app, name string, paths map[string]*string) (Volume, error) {
	return send[Volume](ctx, c, http.MethodPatch, appPath(app, "volumes", name, "path"), map[string]any{"path": paths})
}

// DeleteVolume deletes a volume that is not mounted, with all that is in it.
func (c *Client) DeleteVolume(ctx context.Context, app, name string) error {
	return c.exec(ctx, http.MethodDelete, appPath(app, "volumes", name), nil)
}
