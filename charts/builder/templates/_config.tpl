{{- define "builder.config" -}}
root = "/var/lib/buildkit"
# Steps have no rights beyond those of an ordinary container.
insecure-entitlements = []

[cdi]
  disabled = true

[log]
  level = "{{ .Values.logLevel }}"

[grpc]
  address = ["unix:///run/buildkit/buildkitd.sock"]

# Dockerfiles are read by the program itself, never by an image they name.
[frontend."gateway.v0"]
  enabled = false

[history]
  maxAge = "1h"
  maxEntries = 10

[worker.containerd]
  enabled = false

[worker.oci]
  enabled = true
  snapshotter = "auto"
  # It sets the limits of a step and then becomes runc.
  binary = "/run/buildkit/build-runc"
  # Steps are on a bridge inside the pod: two of them do not meet, and the
  # cluster's network policy holds for both.
  networkMode = "cni"
  cniConfigPath = "/etc/buildkit/cni.json"
  cniBinaryPath = "/usr/bin"
  max-parallelism = {{ .Values.parallelSteps }}
  gc = true
  reservedSpace = "{{ div .Values.cache.maxMegabytes 4 }}MB"
  maxUsedSpace = "{{ .Values.cache.maxMegabytes }}MB"
  minFreeSpace = "{{ .Values.cache.keepFreeMegabytes }}MB"

[registry."{{ .Values.registry }}"]
  http = true

# Carried base images are there, so that they are found without the internet.
[registry."docker.io"]
  mirrors = ["{{ .Values.registry }}/docker.io"]

{{- range prepend .Values.formerDomains .Values.domain }}

[registry."registry.{{ . }}"]
  mirrors = ["{{ $.Values.registry }}"]
{{- end }}
{{- end }}

{{- define "builder.cni" -}}
{
  "cniVersion": "1.0.0", "name": "build", "type": "bridge", "bridge": "build0",
  "isGateway": true, "ipMasq": false, "portIsolation": true,
  "ipam": {
    "type": "host-local", "dataDir": "/run/buildkit/addresses",
    "ranges": [[{"subnet": "{{ .Values.network.steps }}"}]],
    "routes": [{"dst": "0.0.0.0/0"}]
  }
}
{{- end }}
