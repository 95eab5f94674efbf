package kube

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-paas/slipway/platform/control"
)

// Surroundings is what rendering has to know of the cluster.
type Surroundings struct {
	GatewayName      string   // "drycc"
	GatewayNamespace string   // "drycc"
	GatewayClass     string   // "traefik"
	ClusterCIDRs     []string // the networks of pods
	NodeSubnets      []string // the part of them that each node has
	Nodes            int      // schedulable or not; at least 1
	NodeAddresses    []string // of the nodes themselves
	PublicPorts      []int    // of the nodes that apps may connect to; the gateway's
	PodSecurity      string   // PodSecurityRestricted or, otherwise, baseline
	Quota            *corev1.ResourceQuotaSpec
	LimitRange       *corev1.LimitRangeSpec
	Controller       netip.AddrPort // where the controller listens for the gateway
}

// Objects is one release as Kubernetes sees it. Everything has its
// apiVersion and kind set and holds no field that the API server would fill.
type Objects struct {
	Namespace  *corev1.Namespace
	Policy     *networkingv1.NetworkPolicy
	Quota      *corev1.ResourceQuota // nil without one
	LimitRange *corev1.LimitRange    // nil without one
	Processes  []ProcessObjects
	Edge       EdgeObjects
}

// ProcessObjects are those of one process type. Pull is nil without registry
// credentials. With an Autoscaler the Deployment names no replicas; First is
// how many it begins with.
type ProcessObjects struct {
	Ptype      string
	Env        *corev1.Secret
	Pull       *corev1.Secret
	Deployment *appsv1.Deployment
	Autoscaler *autoscalingv2.HorizontalPodAutoscaler
	Budget     *policyv1.PodDisruptionBudget
	First      int32
}

// Render turns a deployment into objects. It is pure. The only errors are
// platform.Invalid ones about probes and lifecycle hooks that have no meaning.
func Render(d control.Deployment, s Surroundings) (Objects, error) {
	out := renderHome(d.App, s)
	out.Edge = RenderEdge(d.Exposure, s)
	for _, p := range d.Processes {
		o, err := renderProcess(d, p, s)
		if err != nil {
			return Objects{}, err
		}
		out.Processes = append(out.Processes, o)
	}
	return out, nil
}

func renderProcess(d control.Deployment, p control.Process, s Surroundings) (ProcessObjects, error) {
	deployment, err := renderDeployment(d, p, s)
	if err != nil {
		return ProcessObjects{}, err
	}
	o := ProcessObjects{
		Ptype: p.Ptype, Env: renderEnv(d, p), Deployment: deployment,
		Autoscaler: renderAutoscaler(d, p), Budget: renderBudget(d, p), First: firstReplicas(p),
	}
	if p.PullSecret != nil {
		o.Pull = renderPull(d, p)
	}
	return o, nil
}

// objectMeta is the metadata that objects of a process type share, with the
// labels that users gave the app; those that this package selects by win.
func objectMeta(d control.Deployment, p control.Process, name string) metav1.ObjectMeta {
	all := map[string]string{}
	maps.Copy(all, d.Settings.Label)
	maps.Copy(all, appLabels(d.App))
	return metav1.ObjectMeta{
		Name:        name,
		Namespace:   d.App.ID,
		Labels:      with(all, labelType, p.Ptype),
		Annotations: appAnnotations(d.App),
	}
}

// renderEnv is immutable: its name carries the version, so it never has to
// change, and kubelets hold no watch on a Secret that cannot.
func renderEnv(d control.Deployment, p control.Process) *corev1.Secret {
	data := map[string][]byte{}
	for name, key := range secretKeys(p.Env) {
		data[key] = []byte(p.Env[name])
	}
	m := objectMeta(d, p, envSecretName(d.App.ID, p.Ptype, d.Release.Version))
	m.Labels = with(m.Labels, labelClass, classEnv, labelVersion, versionName(d.Release.Version))
	immutable := true
	return &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: m,
		Immutable:  &immutable,
		Type:       corev1.SecretTypeOpaque,
		Data:       data,
	}
}

func renderPull(d control.Deployment, p control.Process) *corev1.Secret {
	m := objectMeta(d, p, pullSecretName(p.Ptype, d.Release.Version))
	m.Labels = with(m.Labels, labelClass, classPull, labelVersion, versionName(d.Release.Version))
	immutable := true
	return &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: m,
		Immutable:  &immutable,
		Type:       corev1.SecretTypeDockerConfigJson,
		Data:       map[string][]byte{corev1.DockerConfigJsonKey: dockerConfig(*p.PullSecret)},
	}
}

// dockerConfig is the file that docker login writes. Without a host name the
// credentials are those of Docker's own registry, as in the docker command.
func dockerConfig(s control.PullSecret) []byte {
	host := s.Hostname
	if host == "" {
		host = "https://index.docker.io/v1/"
	}
	type entry struct {
		Username string `json:"username"`
		Password string `json:"password"`
		Auth     string `json:"auth"`
	}
	auth := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%s", s.Username, s.Password))
	// Strings always encode.
	out, _ := json.Marshal(map[string]map[string]entry{
		"auths": {host: {Username: s.Username, Password: s.Password, Auth: auth}},
	})
	return out
}
