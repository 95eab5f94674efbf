{{- /* Pods without data of their own leave a node that is gone after seconds, not
after the five minutes that Kubernetes waits. */ -}}
{{- define "cluster.leave" -}}
- {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 10}
- {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 10}
{{- end }}
