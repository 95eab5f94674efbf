package kube

import (
	"context"

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
