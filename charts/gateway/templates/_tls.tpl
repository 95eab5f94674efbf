{{/*
TLS 1.2 and 1.3. Of the ciphers of 1.2 those with forward secrecy that
authenticate what they encrypt; those of 1.3 are all such and not chosen.
*/}}
{{- define "gateway.tls" -}}
# The gateway puts this middleware into every route: a pod that can't be connected
# to, on a node that is gone for instance, is passed over.
http:
  middlewares:
    elsewhere:
      retry: {attempts: {{ .Values.attempts }}}
tls:
  options:
    default:
      minVersion: VersionTLS12
      cipherSuites:
        - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
        - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
        - TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        - TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
{{- end }}
