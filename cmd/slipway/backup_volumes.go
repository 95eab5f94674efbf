package main

import (
	"context"
	"fmt"
	"time"

	"github.com/slipway-paas/slipway/cmd/slipway/archive"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// volumesPatience is how long the cluster may take to list its volumes.
const volumesPatience = 15 * time.Second

// clusterVolumes lists the volumes that are in use.
func clusterVolumes(kubeconfig string) func(ctx context.Context) ([]archive.NodeVolume, error) {
	return func(ctx context.Context) ([]archive.NodeVolume, error) {
		ctx, cancel := context.WithTimeout(ctx, volumesPatience)
		defer cancel()
		config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
		if err != nil {
			return nil, fmt.Errorf("kubeconfig: %w", err)
		}
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			return nil, err
		}
		list, err := client.CoreV1().PersistentVolumes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		var volumes []archive.NodeVolume
		for i := range list.Items {
			if v := &list.Items[i]; v.Spec.ClaimRef != nil {
				volumes = append(volumes, placeOf(v))
			}
		}
		return volumes, nil
	}
}

// placeOf finds out where the data of a volume is.
func placeOf(v *corev1.PersistentVolume) archive.NodeVolume {
	ref := v.Spec.ClaimRef
	out := archive.NodeVolume{Claim: ref.Namespace + "_" + ref.Name}
	switch {
	case v.Spec.Local != nil:
		out.Path = v.Spec.Local.Path
	case v.Spec.HostPath != nil:
		out.Path = v.Spec.HostPath.Path
	}
	out.OfApp = v.Spec.CSI != nil || v.Spec.NFS != nil
	if v.Spec.NodeAffinity == nil || v.Spec.NodeAffinity.Required == nil {
		return out
	}
	for _, term := range v.Spec.NodeAffinity.Required.NodeSelectorTerms {
		for _, e := range term.MatchExpressions {
			if e.Key == corev1.LabelHostname && e.Operator == corev1.NodeSelectorOpIn && len(e.Values) == 1 {
				out.Node = e.Values[0]
			}
		}
	}
	return out
}
