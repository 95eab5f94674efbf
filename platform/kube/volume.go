package kube

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
)

const defaultClassAnnotation = "storageclass.kubernetes.io/is-default-class"

// EnsureVolume makes the claim of a volume, and what it is bound to when that
// is not the cluster's to make. A claim of that name that is not ours is a
// platform.Conflict.
func (c *Cluster) EnsureVolume(ctx context.Context, a platform.App, v platform.Volume) error {
	return translate(ctx, "EnsureVolume", c.ensureVolume(ctx, a, v))
}

func (c *Cluster) ensureVolume(ctx context.Context, a platform.App, v platform.Volume) error {
	claims := c.core.CoreV1().PersistentVolumeClaims(a.ID)
	had, err := claims.Get(ctx, v.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		had = nil
	case err != nil:
		return err
	case !ourClaim(had, a.ID, v.Name):
		return platform.Errorf(platform.Conflict, "a claim with the name %s exists in the namespace of %s and is not a volume of it", v.Name, a.ID)
	case had.DeletionTimestamp != nil:
		return platform.Errorf(platform.Unavailable, "the storage of volume %s is still being deleted", v.Name)
	}
	storage := Storage{}
	if v.Type == platform.VolumeCSI {
		if storage, err = c.storage(ctx, had); err != nil {
			return err
		}
	}
	o := RenderVolume(a, v, storage, had)
	if o.PV != nil {
		if _, err := apply(ctx, c.core.CoreV1().PersistentVolumes(), o.PV); err != nil {
			return err
		}
	}
	_, err = apply(ctx, claims, o.Claim)
	return err
}

func ourClaim(claim *corev1.PersistentVolumeClaim, app, volume string) bool {
	return claim.Labels[labelOwnerApp] == app && claim.Labels[labelVolume] == volume
}

// storage finds out what the class of a claim can do: the class it has, else
// the one of the settings, else the cluster's default.
func (c *Cluster) storage(ctx context.Context, had *corev1.PersistentVolumeClaim) (Storage, error) {
	name := c.opts.StorageClass
	if had != nil && had.Spec.StorageClassName != nil {
		name = *had.Spec.StorageClassName
	}
	list, err := c.core.StorageV1().StorageClasses().List(ctx, metav1.ListOptions{})
	if err != nil {
		return Storage{}, err
	}
	for _, class := range list.Items {
		if class.Name == name || name == "" && class.Annotations[defaultClassAnnotation] == "true" {
			return asStorage(class), nil
		}
	}
	if had != nil {
		return Storage{Class: name}, nil // the class went, the volume is there
	}
	if name == "" {
		return Storage{}, platform.Errorf(platform.Unprocessable, "the cluster has no default storage class to make volumes of; set one")
	}
	return Storage{}, platform.Errorf(platform.Unprocessable, "the cluster has no storage class %s to make volumes of", name)
}

func asStorage(class storagev1.StorageClass) Storage {
	return Storage{
		Class: class.Name, Shared: class.Provisioner != localProvisioner,
		Grows: class.AllowVolumeExpansion != nil && *class.AllowVolumeExpansion,
	}
}

// RemoveVolume deletes the claim of a volume, with which the cluster deletes
// what it has made for it, and waits a little until it is gone. It is
// platform.Unavailable as long as a pod still has it.
func (c *Cluster) RemoveVolume(ctx context.Context, app string, v platform.Volume) error {
	return translate(ctx, "RemoveVolume", c.removeVolume(ctx, app, v))
}

func (c *Cluster) removeVolume(ctx context.Context, app string, v platform.Volume) error {
	if err := c.endFiler(ctx, app, v); err != nil {
		return err
	}
	if err := c.removeClaim(ctx, app, v.Name); err != nil {
		return err
	}
	return c.core.CoreV1().PersistentVolumes().DeleteCollection(ctx, metav1.DeleteOptions{},
		metav1.ListOptions{LabelSelector: appSelector(app) + "," + labelVolume + "=" + v.Name})
}

func (c *Cluster) removeClaim(ctx context.Context, app, name string) error {
	claims := c.core.CoreV1().PersistentVolumeClaims(app)
	found, err := claims.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && !ourClaim(found, app, name) {
		return nil
	}
	if err != nil {
		return err
	}
	waiting, stop := context.WithTimeout(ctx, c.patience.claim)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	changed := make(chan struct{}, 1)
	view, err := follow(waiting, &group, c.claim(app, name), changed)
	if err != nil {
		return err
	}
	err = claims.Delete(ctx, name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(found.UID))})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	for {
		if now, there := view.get(name); !there || now.UID != found.UID {
			return nil
		}
		select {
		case <-changed:
		case <-waiting.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return platform.Errorf(platform.Unavailable, "volume %s is still used by a pod", name)
		}
	}
}

func (c *Cluster) claim(app, name string) source[*corev1.PersistentVolumeClaim] {
	client := c.core.CoreV1().PersistentVolumeClaims(app)
	return source[*corev1.PersistentVolumeClaim]{
		list:  listing(client, func(l *corev1.PersistentVolumeClaimList) []corev1.PersistentVolumeClaim { return l.Items }),
		watch: client.Watch,
		opts:  metav1.ListOptions{FieldSelector: "metadata.name=" + name},
	}
}

// dropPersistent deletes what an app has outside its namespace.
func (c *Cluster) dropPersistent(ctx context.Context, app string) error {
	return c.core.CoreV1().PersistentVolumes().DeleteCollection(ctx, metav1.DeleteOptions{},
		metav1.ListOptions{LabelSelector: appSelector(app) + "," + labelVolume})
}
