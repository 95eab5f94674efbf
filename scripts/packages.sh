#!/bin/sh
# packages.sh light|heavy|all: import paths of this module's packages. Light
# ones compile without k3s: seconds instead of minutes.
set -eu
cd "$(dirname "$0")/.."
kind=${1:-all}
go list -f '{{.ImportPath}}{{range .Deps}} {{.}}{{end}}{{range .TestImports}} {{.}}{{end}}{{range .XTestImports}} {{.}}{{end}}' ./... |
  awk -v kind="$kind" '
    { heavy = ($0 ~ / github\.com\/k3s-io\/k3s\//) || ($0 ~ / k8s\.io\/kubernetes\//) }
    kind == "all" || (kind == "heavy") == heavy { print $1 }'
