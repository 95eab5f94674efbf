package kube

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	streamv1 "sigs.k8s.io/gateway-api/apis/v1alpha2"
)

// lister is what the typed clients have in common; L is the list type.
type lister[L any] interface {
	List(ctx context.Context, opts metav1.ListOptions) (L, error)
}

// listing adapts a typed list call: items unpacks the result.
func listing[T any, L metav1.ListInterface](client lister[L], items func(L) []T) func(context.Context, metav1.ListOptions) ([]*T, string, error) {
	return func(ctx context.Context, opts metav1.ListOptions) ([]*T, string, error) {
		list, err := client.List(ctx, opts)
		if err != nil {
			return nil, "", err
		}
		values := items(list)
		out := make([]*T, len(values))
		for i := range values {
			out[i] = &values[i]
		}
		return out, list.GetResourceVersion(), nil
	}
}

func (c *Cluster) deployments(app string) source[*appsv1.Deployment] {
	client := c.core.AppsV1().Deployments(app)
	return source[*appsv1.Deployment]{
		list:  listing(client, func(l *appsv1.DeploymentList) []appsv1.Deployment { return l.Items }),
		watch: client.Watch,
		opts:  metav1.ListOptions{LabelSelector: appSelector(app)},
	}
}

func (c *Cluster) pods(app string) source[*corev1.Pod] {
	client := c.core.CoreV1().Pods(app)
	return source[*corev1.Pod]{
		list:  listing(client, func(l *corev1.PodList) []corev1.Pod { return l.Items }),
		watch: client.Watch,
		opts:  metav1.ListOptions{LabelSelector: appSelector(app)},
	}
}

func (c *Cluster) routes(app string) source[*gatewayv1.HTTPRoute] {
	client := c.gateway.HTTPRoutes(app)
	return source[*gatewayv1.HTTPRoute]{
		list:  listing(client, func(l *gatewayv1.HTTPRouteList) []gatewayv1.HTTPRoute { return l.Items }),
		watch: client.Watch,
		opts:  metav1.ListOptions{LabelSelector: appSelector(app)},
	}
}

func (c *Cluster) grpcRoutes(app string) source[*gatewayv1.GRPCRoute] {
	client := c.gateway.GRPCRoutes(app)
	return source[*gatewayv1.GRPCRoute]{
		list:  listing(client, func(l *gatewayv1.GRPCRouteList) []gatewayv1.GRPCRoute { return l.Items }),
		watch: client.Watch,
		opts:  metav1.ListOptions{LabelSelector: appSelector(app)},
	}
}

func (c *Cluster) tcpRoutes(app string) source[*streamv1.TCPRoute] {
	client := c.streams.TCPRoutes(app)
	return source[*streamv1.TCPRoute]{
		list:  listing(client, func(l *streamv1.TCPRouteList) []streamv1.TCPRoute { return l.Items }),
		watch: client.Watch,
		opts:  metav1.ListOptions{LabelSelector: appSelector(app)},
	}
}

func (c *Cluster) tlsRoutes(app string) source[*streamv1.TLSRoute] {
	client := c.streams.TLSRoutes(app)
	return source[*streamv1.TLSRoute]{
		list:  listing(client, func(l *streamv1.TLSRouteList) []streamv1.TLSRoute { return l.Items }),
		watch: client.Watch,
		opts:  metav1.ListOptions{LabelSelector: appSelector(app)},
	}
}

func (c *Cluster) gateways(app string) source[*gatewayv1.Gateway] {
	client := c.gateway.Gateways(app)
	return source[*gatewayv1.Gateway]{
		list:  listing(client, func(l *gatewayv1.GatewayList) []gatewayv1.Gateway { return l.Items }),
		watch: client.Watch,
		opts:  metav1.ListOptions{LabelSelector: appSelector(app)},
	}
}

func (c *Cluster) services(app string) source[*corev1.Service] {
	client := c.core.CoreV1().Services(app)
	return source[*corev1.Service]{
		list:  listing(client, func(l *corev1.ServiceList) []corev1.Service { return l.Items }),
		watch: client.Watch,
		opts:  metav1.ListOptions{LabelSelector: appSelector(app)},
	}
}

func (c *Cluster) secrets(app string) source[*corev1.Secret] {
	client := c.core.CoreV1().Secrets(app)
	return source[*corev1.Secret]{
		list:  listing(client, func(l *corev1.SecretList) []corev1.Secret { return l.Items }),
		watch: client.Watch,
		opts:  metav1.ListOptions{LabelSelector: appSelector(app)},
	}
}

func (c *Cluster) namespace(name string) source[*corev1.Namespace] {
	client := c.core.CoreV1().Namespaces()
	return source[*corev1.Namespace]{
		list:  listing(client, func(l *corev1.NamespaceList) []corev1.Namespace { return l.Items }),
		watch: client.Watch,
		opts:  metav1.ListOptions{FieldSelector: "metadata.name=" + name},
	}
}
