package kube

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ParseQuota reads the setting KUBERNETES_NAMESPACE_DEFAULT_QUOTA_SPEC, such
// as {"spec":{"hard":{"pods":"10"}}}; the spec alone will do. Empty is none.
func ParseQuota(text string) (*corev1.ResourceQuotaSpec, error) {
	return parseSpec[corev1.ResourceQuotaSpec]("KUBERNETES_NAMESPACE_DEFAULT_QUOTA_SPEC", text)
}

// ParseLimitRange reads the setting
// KUBERNETES_NAMESPACE_DEFAULT_LIMIT_RANGES_SPEC in the same way.
func ParseLimitRange(text string) (*corev1.LimitRangeSpec, error) {
	return parseSpec[corev1.LimitRangeSpec]("KUBERNETES_NAMESPACE_DEFAULT_LIMIT_RANGES_SPEC", text)
}

func parseSpec[T any](name, text string) (*T, error) {
	if text == "" {
		return nil, nil
	}
	var outer struct {
		Spec json.RawMessage `json:"spec"`
	}
	raw := []byte(text)
	if err := json.Unmarshal(raw, &outer); err != nil {
		return nil, fmt.Errorf("%s: use JSON: %w", name, err)
	}
	if outer.Spec != nil {
		raw = outer.Spec
	}
	var spec T
	if err := json.Unmarshal(raw, &spec); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &spec, nil
}

// bound applies the quota and the limits of new pods, and takes away those
// that were once applied, which the namespace remembers.
func (c *Cluster) bound(ctx context.Context, had map[string]string, o Objects) error {
	app := o.Namespace.Name
	if o.Quota != nil {
		if _, err := apply(ctx, c.core.CoreV1().ResourceQuotas(app), o.Quota); err != nil {
			return err
		}
	} else if had[annotationQuota] != "" {
		err := c.core.CoreV1().ResourceQuotas(app).Delete(ctx, app, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	if o.LimitRange != nil {
		_, err := apply(ctx, c.core.CoreV1().LimitRanges(app), o.LimitRange)
		return err
	}
	if had[annotationLimitRange] == "" {
		return nil
	}
	err := c.core.CoreV1().LimitRanges(app).Delete(ctx, app, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
