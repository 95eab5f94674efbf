package kube

import (
	"context"
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// patcher is what the typed clients have in common.
type patcher[T any] interface {
	Patch(ctx context.Context, name string, pt types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string) (T, error)
}

// apply makes the cluster's object what obj says, and takes over fields that
// somebody else had set. Fields we applied before and no longer do go away.
func apply[T metav1.Object](ctx context.Context, client patcher[T], obj T) (T, error) {
	body, err := manifest(obj)
	if err != nil {
		var none T
		return none, err
	}
	data, err := json.Marshal(body)
	if err != nil {
		var none T
		return none, err
	}
	return client.Patch(ctx, obj.GetName(), types.ApplyPatchType, data,
		metav1.PatchOptions{FieldManager: fieldManager, Force: ptr(true)})
}

// mergePatch changes single fields without claiming the rest.
func mergePatch[T any](ctx context.Context, client patcher[T], name string, change any, subresources ...string) error {
	data, err := json.Marshal(change)
	if err != nil {
		return err
	}
	_, err = client.Patch(ctx, name, types.MergePatchType, data,
		metav1.PatchOptions{FieldManager: fieldManager}, subresources...)
	return err
}

// manifest is obj as one would write it by hand: without the status, nulls
// and empty objects that Go types marshal to, which an apply would claim.
func manifest(obj any) (map[string]any, error) {
	raw, err := json.Marshal(obj)
	if err != nil {
		return nil, err
	}
	var body map[string]any
	if err := json.Unmarshal(raw, &body); err != nil {
		return nil, err
	}
	delete(body, "status")
	for key, value := range body {
		if nested, ok := value.(map[string]any); ok {
			scrub(nested)
			body[key] = nested
		}
	}
	return body, nil
}

// scrub removes nulls everywhere. Empty objects have a meaning in selectors
// and stay.
func scrub(m map[string]any) {
	for key, value := range m {
		switch v := value.(type) {
		case nil:
			delete(m, key)
		case map[string]any:
			scrub(v)
		case []any:
			for _, item := range v {
				if nested, ok := item.(map[string]any); ok {
					scrub(nested)
				}
			}
		}
	}
}
