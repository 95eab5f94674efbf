package kube

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// kinds by resource; a path is a collection when it ends in one of them.
func kindOf(resource string) (apiVersion, kind string) {
	switch resource {
	case "namespaces":
		return "v1", "Namespace"
	case "nodes":
		return "v1", "Node"
	case "secrets":
		return "v1", "Secret"
	case "services":
		return "v1", "Service"
	case "pods":
		return "v1", "Pod"
	case "events":
		return "v1", "Event"
	case "persistentvolumeclaims":
		return "v1", "PersistentVolumeClaim"
	case "persistentvolumes":
		return "v1", "PersistentVolume"
	case "storageclasses":
		return "storage.k8s.io/v1", "StorageClass"
	case "jobs":
		return "batch/v1", "Job"
	case "deployments":
		return "apps/v1", "Deployment"
	case "replicasets":
		return "apps/v1", "ReplicaSet"
	case "networkpolicies":
		return "networking.k8s.io/v1", "NetworkPolicy"
	case "gateways":
		return "gateway.networking.k8s.io/v1", "Gateway"
	case "tcproutes":
		return "gateway.networking.k8s.io/v1alpha2", "TCPRoute"
	case "tlsroutes":
		return "gateway.networking.k8s.io/v1alpha2", "TLSRoute"
	case "grpcroutes":
		return "gateway.networking.k8s.io/v1", "GRPCRoute"
	case "horizontalpodautoscalers":
		return "autoscaling/v2", "HorizontalPodAutoscaler"
	case "poddisruptionbudgets":
		return "policy/v1", "PodDisruptionBudget"
	case "resourcequotas":
		return "v1", "ResourceQuota"
	case "limitranges":
		return "v1", "LimitRange"
	case "httproutes":
		return "gateway.networking.k8s.io/v1", "HTTPRoute"
	}
	return "", ""
}

func split(path string) (collection, name string) {
	last := path[strings.LastIndex(path, "/")+1:]
	rest := strings.TrimSuffix(path, "/"+last)
	// A namespace may be called like a resource, so its place decides.
	if _, kind := kindOf(last); kind != "" && !strings.HasSuffix(rest, "/namespaces") {
		return path, ""
	}
	return rest, last
}

// merge is a JSON merge patch that changes neither argument.
func merge(a, b object) object {
	out := object{}
	for k, v := range a {
		if m, ok := v.(object); ok {
			v = merge(m, nil)
		}
		out[k] = v
	}
	for k, v := range b {
		m, isMap := v.(object)
		old, wasMap := out[k].(object)
		switch {
		case v == nil:
			delete(out, k)
		case isMap && wasMap:
			out[k] = merge(old, m)
		case isMap:
			out[k] = merge(nil, m)
		default:
			out[k] = v
		}
	}
	return out
}

// without drops from a what b says too.
func without(a, b object) object {
	out := object{}
	for k, v := range a {
		other, there := b[k]
		m, isMap := v.(object)
		om, otherMap := other.(object)
		switch {
		case !there:
			out[k] = v
		case isMap && otherMap:
			out[k] = without(m, om)
		}
	}
	return out
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func writeStatus(w http.ResponseWriter, code int) {
	reasons := map[int]string{404: "NotFound", 409: "Conflict", 422: "Invalid", 403: "Forbidden", 503: "ServiceUnavailable", 400: "BadRequest"}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(object{"apiVersion": "v1", "kind": "Status", "status": "Failure",
		"reason": reasons[code], "code": code, "message": fmt.Sprintf("scripted %d", code)})
}
