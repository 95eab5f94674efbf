{{- define "registry.config" -}}
version: 0.1
log:
  level: {{ .Values.logLevel }}
  formatter: json
  accesslog: {disabled: true}
storage:
  {{- if eq .Values.storage.type "s3" }}
  s3:
    region: {{ .Values.storage.s3.region }}
    regionendpoint: {{ .Values.storage.s3.endpoint }}
    bucket: {{ .Values.storage.s3.bucket }}
    secure: {{ .Values.storage.s3.secure }}
    forcepathstyle: true
  # Clients outside do not reach the S3 service.
  redirect: {disable: true}
  {{- else }}
  filesystem: {rootdirectory: /var/lib/registry}
  {{- end }}
  delete: {enabled: true}
  {{- if .readOnly }}
  # While the garbage is collected: what is being pushed would be taken for it.
  maintenance: {readonly: {enabled: true}}
  {{- end }}
  cache: {blobdescriptor: inmemory}
http:
  addr: :{{ .Values.port }}
  # Behind the gateway the registry does not know its own scheme and host.
  relativeurls: true
  draintimeout: 20s
  headers: {X-Content-Type-Options: [nosniff]}
  debug:
    addr: :5001
    prometheus: {enabled: true, path: /metrics}
auth:
  htpasswd: {realm: Slipway registry, path: /auth/htpasswd}
{{- end }}
