package kube

import (
	"context"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// applySecret makes a Secret what s says. One that cannot be changed to that
// is replaced: an immutable one, or one of another type. A release's is
// immutable and differs when it is taken up again by a newer program that
// gives apps other variables.
func (c *Cluster) applySecret(ctx context.Context, s *corev1.Secret) error {
	secrets := c.core.CoreV1().Secrets(s.Namespace)
	_, err := apply(ctx, secrets, s)
	if !apierrors.IsInvalid(err) {
		return err
	}
	if err := secrets.Delete(ctx, s.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	_, err = apply(ctx, secrets, s)
	return err
}

// applyCerts is applySecret for the certificates of an app's domains. There may
// be hundreds while one changes: those that the cluster has already are left
// alone, which one list tells.
func (c *Cluster) applyCerts(ctx context.Context, app string, certs []*corev1.Secret) error {
	if len(certs) == 0 {
		return nil
	}
	found, _, err := c.secrets(app).list(ctx, edgeSelector(app))
	if err != nil {
		return err
	}
	there := map[string]*corev1.Secret{}
	for _, s := range found {
		there[s.Name] = s
	}
	for _, s := range certs {
		if now := there[s.Name]; now != nil && holds(now, s) {
			continue
		}
		if err := c.applySecret(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// holds reports whether a Secret is what want says.
func holds(now, want *corev1.Secret) bool {
	return now.DeletionTimestamp == nil && now.Type == want.Type &&
		maps.EqualFunc(now.Data, want.Data, slices.Equal) &&
		contains(now.Labels, want.Labels) && contains(now.Annotations, want.Annotations)
}

// contains reports whether all has everything of part.
func contains(all, part map[string]string) bool {
	for key, value := range part {
		if found, ok := all[key]; !ok || found != value {
			return false
		}
	}
	return true
}
