package helm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"golang.org/x/sync/errgroup"
	"helm.sh/helm/v3/pkg/chart"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"
)

// fieldManager owns what this package writes itself.
const fieldManager = "slipway"

// crdTimeout is how long the API server may take to serve a new kind.
const crdTimeout = time.Minute

// partOf labels what belongs to the platform, as the charts do.
func partOf() map[string]string { return map[string]string{"app.kubernetes.io/part-of": "slipway"} }

func crds() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
}

// applyCRDs creates or upgrades a chart's CRDs, which Helm would only create,
// and waits until the API server serves them.
func applyCRDs(ctx context.Context, cl *cluster, list []chart.CRD) error {
	if len(list) == 0 {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, crd := range list {
		group.Go(func() error { return applyCRD(ctx, cl, crd) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	cl.refresh()
	return nil
}

func applyCRD(ctx context.Context, cl *cluster, crd chart.CRD) error {
	body, err := yaml.YAMLToJSON(crd.File.Data)
	if err != nil {
		return fmt.Errorf("crd %s: %w", crd.Filename, err)
	}
	var object unstructured.Unstructured
	if err := json.Unmarshal(body, &object); err != nil {
		return fmt.Errorf("crd %s: %w", crd.Filename, err)
	}
	force := true
	_, err = cl.dynamic.Resource(crds()).Patch(ctx, object.GetName(), types.ApplyPatchType, body,
		metav1.PatchOptions{FieldManager: fieldManager, Force: &force})
	if err != nil {
		return fmt.Errorf("crd %s: %w", object.GetName(), err)
	}
	return awaitCRD(ctx, cl, object.GetName())
}

func awaitCRD(ctx context.Context, cl *cluster, name string) error {
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, crdTimeout, true, func(ctx context.Context) (bool, error) {
		object, err := cl.dynamic.Resource(crds()).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		return established(object), nil
	})
	if err != nil {
		return fmt.Errorf("crd %s: not served: %w", name, err)
	}
	return nil
}

func established(crd *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
	for _, c := range conditions {
		if m, ok := c.(map[string]any); ok && m["type"] == "Established" && m["status"] == "True" {
			return true
		}
	}
	return false
}

func ensureNamespace(ctx context.Context, client kubernetes.Interface, name string) error {
	_, err := client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: partOf()}}
		_, err = client.CoreV1().Namespaces().Create(ctx, object, metav1.CreateOptions{FieldManager: fieldManager})
		if apierrors.IsAlreadyExists(err) {
			return nil // another chart was quicker
		}
	}
	if err != nil {
		return fmt.Errorf("namespace %s: %w", name, err)
	}
	return nil
}

// Secret is one the charts name in their values.
type Secret struct {
	Namespace, Name string
	Type            string            // empty: Opaque
	Data            map[string][]byte // by key
}

// EnsureSecret writes the Secret, its namespace too when absent, and reports
// whether the cluster's differed. Keys that Data lacks are removed.
func (i *Installer) EnsureSecret(ctx context.Context, s Secret) (changed bool, err error) {
	cl, err := i.connect(ctx, s.Namespace)
	if err != nil {
		return false, fmt.Errorf("secret %s/%s: %w", s.Namespace, s.Name, err)
	}
	if err := ensureNamespace(ctx, cl.kube, s.Namespace); err != nil {
		return false, err
	}
	if s.Type == "" {
		s.Type = string(corev1.SecretTypeOpaque)
	}
	secrets := cl.kube.CoreV1().Secrets(s.Namespace)
	current, err := secrets.Get(ctx, s.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		object := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Name, Labels: partOf()},
			Type:       corev1.SecretType(s.Type),
			Data:       s.Data,
		}
		_, err = secrets.Create(ctx, object, metav1.CreateOptions{FieldManager: fieldManager})
	case err == nil && maps.EqualFunc(current.Data, s.Data, bytes.Equal):
		return false, nil
	case err == nil:
		current.Data = s.Data
		_, err = secrets.Update(ctx, current, metav1.UpdateOptions{FieldManager: fieldManager})
	}
	if err != nil {
		return false, fmt.Errorf("secret %s/%s: %w", s.Namespace, s.Name, err)
	}
	return true, nil
}

// ReadSecret returns the Secret's data, nil when there is no such Secret.
func (i *Installer) ReadSecret(ctx context.Context, namespace, name string) (map[string][]byte, error) {
	cl, err := i.connect(ctx, namespace)
	if err != nil {
		return nil, fmt.Errorf("secret %s/%s: %w", namespace, name, err)
	}
	s, err := cl.kube.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("secret %s/%s: %w", namespace, name, err)
	}
	return s.Data, nil
}
