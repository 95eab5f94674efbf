package kube

import (
	"crypto/md5"
	"encoding/hex"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform"
)

const (
	labelVolume = "drycc.cc/volume"
	// annotationSize is the size that users see. The claim asks for another one
	// when its class cannot let volumes grow.
	annotationSize = "drycc.cc/size"

	// localProvisioner makes volumes of directories on a node. It knows one
	// access mode only, which is no limit to pods of that node: as many of them
	// as there are may write, and the scheduler brings them all there.
	localProvisioner = "rancher.io/local-path"
)

// Storage is what rendering a claim has to know of a storage class.
type Storage struct {
	Class  string
	Shared bool // pods on several nodes may write at the same time
	Grows  bool // a claim may ask for more later
}

// VolumeObjects are those of one volume; PV only when its storage is not made
// by the cluster.
type VolumeObjects struct {
	PV    *corev1.PersistentVolume
	Claim *corev1.PersistentVolumeClaim
}

// RenderVolume turns a volume into objects. It is pure. had is the claim that
// exists, nil without one: what cannot be changed stays as it is there.
func RenderVolume(a platform.App, v platform.Volume, s Storage, had *corev1.PersistentVolumeClaim) VolumeObjects {
	claim := &corev1.PersistentVolumeClaim{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
		ObjectMeta: metav1.ObjectMeta{
			Name: v.Name, Namespace: a.ID,
			Labels:      with(appLabels(a), labelVolume, v.Name),
			Annotations: with(appAnnotations(a), annotationSize, v.Size),
		},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
			StorageClassName: ptr(s.Class),
		},
	}
	size := *resource.NewQuantity(platform.VolumeBytes(v.Size), resource.BinarySI)
	out := VolumeObjects{Claim: claim}
	switch {
	case v.Type == platform.VolumeNFS:
		out.PV = renderNFS(a, v, size)
		claim.Spec.StorageClassName, claim.Spec.VolumeName = ptr(""), out.PV.Name
	case !s.Shared:
		claim.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	}
	if had != nil {
		claim.Spec.AccessModes = slices.Clone(had.Spec.AccessModes)
		claim.Spec.StorageClassName = had.Spec.StorageClassName
		if was := had.Spec.Resources.Requests[corev1.ResourceStorage]; !s.Grows || was.Cmp(size) > 0 || out.PV != nil {
			size = was
		}
	}
	claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: size}
	return out
}

// persistentName is unique in the cluster, where such objects have no
// namespace. It is a name only: nothing rests on the strength of the digest.
func persistentName(a platform.App, v platform.Volume) string {
	sum := md5.Sum([]byte(a.ID + "-" + string(v.Type) + "-" + v.Name))
	return "pvc-" + hex.EncodeToString(sum[:])
}

// renderNFS is bound to its claim from the start, so that no other takes it,
// and leaves the server's files alone when it goes.
func renderNFS(a platform.App, v platform.Volume, size resource.Quantity) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolume"},
		ObjectMeta: metav1.ObjectMeta{
			Name: persistentName(a, v), Labels: with(appLabels(a), labelVolume, v.Name), Annotations: appAnnotations(a),
		},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: size},
			AccessModes:                   []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: a.ID, Name: v.Name,
			},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				NFS: &corev1.NFSVolumeSource{Server: v.Parameters["server"], Path: v.Parameters["path"]},
			},
		},
	}
}

// mountVolumes puts volumes into a pod, each once, and into its container at
// every path.
func mountVolumes(spec *corev1.PodSpec, mounts []platform.Mount) {
	named := map[string]bool{}
	for _, m := range mounts {
		if !named[m.Volume] {
			named[m.Volume] = true
			spec.Volumes = append(spec.Volumes, claimVolume(m.Volume))
		}
		c := &spec.Containers[0]
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: m.Volume, MountPath: m.Path})
	}
}

func claimVolume(name string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name},
	}}
}
