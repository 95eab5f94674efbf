{{- define "monitoring.scrape" -}}
global:
  scrape_interval: {{ .Values.scrape.interval }}
scrape_configs:
  - job_name: node
    kubernetes_sd_configs: [{role: node}]
    relabel_configs:
      - {source_labels: [__meta_kubernetes_node_address_InternalIP], regex: (.+), replacement: "$1:{{ .Values.nodeExporter.port }}", target_label: __address__}
      - {source_labels: [__meta_kubernetes_node_name], target_label: instance}
  {{- if .Values.scrape.gatewayPort }}
  - job_name: gateway
    kubernetes_sd_configs: [{role: node}]
    relabel_configs:
      - {source_labels: [__meta_kubernetes_node_address_InternalIP], regex: (.+), replacement: "$1:{{ .Values.scrape.gatewayPort }}", target_label: __address__}
      - {source_labels: [__meta_kubernetes_node_name], target_label: instance}
    metric_relabel_configs:
      - {source_labels: [__name__], regex: go_.*, action: drop}
  {{- end }}
  {{- $kubelet := dict "cadvisor" "/metrics/cadvisor" "kubelet-resource" "/metrics/resource" "kubelet-probes" "/metrics/probes" }}
  {{- if .Values.scrape.kubeletInternals }}{{ $_ := set $kubelet "kubelet" "/metrics" }}{{ end }}
  {{- range $job, $path := $kubelet }}
  - job_name: {{ $job }}
    scheme: https
    metrics_path: {{ $path }}
    {{- if eq $job "kubelet" }}
    stream_parse: true
    scrape_interval: 60s
    {{- end }}
    bearer_token_file: /var/run/secrets/kubernetes.io/serviceaccount/token
    tls_config: {ca_file: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt}
    kubernetes_sd_configs: [{role: node}]
    relabel_configs:
      - {source_labels: [__meta_kubernetes_node_address_InternalIP], regex: (.+), replacement: "$1:10250", target_label: __address__}
      - {source_labels: [__meta_kubernetes_node_name], target_label: instance}
    {{- if eq $job "kubelet-probes" }}
    metric_relabel_configs:
      - {source_labels: [__name__], regex: prober_probe_duration_seconds.*, action: drop}
    {{- end }}
    {{- if eq $job "cadvisor" }}
    metric_relabel_configs:
      - {source_labels: [__name__], regex: "container_(tasks_state|cpu_load_.*|memory_failures_total|blkio_device_usage_total|ulimits_soft|last_seen|file_descriptors|sockets|threads.*|memory_(failcnt|kernel_usage|mapped_file|max_usage_bytes|swap)|network_.*_(errors|packets|packets_dropped)_total|spec_.*|fs_(inodes.*|io_.*|read_seconds.*|write_seconds.*|sector_.*|reads_merged.*|writes_merged.*))", action: drop}
    {{- end }}
  {{- end }}
  - job_name: kube-state
    honor_labels: true
    static_configs: [{targets: [kube-state-metrics.{{ .Release.Namespace }}.svc:8080]}]
  - job_name: dns
    static_configs: [{targets: [kube-dns.kube-system.svc:9153]}]
    metric_relabel_configs:
      - {source_labels: [__name__], regex: go_.*, action: drop}
  - job_name: registry
    static_configs: [{targets: [registry.{{ .Release.Namespace }}.svc:5001]}]
    metric_relabel_configs:
      - {source_labels: [__name__], regex: go_.*, action: drop}
  {{- if .Values.scrape.controller }}
  - job_name: controller
    metrics_path: {{ .Values.scrape.controllerPath }}
    static_configs: [{targets: [{{ .Values.scrape.controller | quote }}]}]
  {{- end }}
{{- end }}
