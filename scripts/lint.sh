#!/usr/bin/env bash
# lint.sh: every check that reads the code without running it. Runs all of
# them and fails when one did. Charts are linted by their Go test.
# LINT_HEAVY=1 also lets staticcheck read the packages that link Kubernetes
# (minutes and gigabytes on a cold cache).
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/local/go/bin
root=$PWD
bin=${XDG_CACHE_HOME:-$HOME/.cache}/slipway/lint
failed=()
mkdir -p "$bin"

# check NAME COMMAND...: runs a check and remembers its failure.
check() {
  local name=$1
  shift
  echo "-- $name"
  "$@" || failed+=("$name")
}

# go_files lists our Go files; nested modules included, build products not.
go_files() {
  find . -name .git -prune -o -path ./embedded/payload -prune -o -name '*.go' -print
}

formatted() {
  local bad
  bad=$(go_files | xargs gofmt -s -l)
  [ -z "$bad" ] || { echo "run gofmt -s -w on:"; echo "$bad"; return 1; }
}

# vet reads Kubernetes only as compiled packages; see vetdirect.
vet() {
  local -a light heavy
  mapfile -t light < <(scripts/packages.sh light)
  mapfile -t heavy < <(scripts/packages.sh heavy)
  (cd scripts/lint && go build -o "$bin/vetdirect" ./vetdirect)
  go vet "${light[@]}" &&
    go vet -tags e2e ./test/... ./platform/kube &&
    "$bin/vetdirect" -tags "$tags" "${heavy[@]}"
}
tags='ctrd netcgo osusergo providerless urfave_cli_no_docs sqlite_omit_load_extension static_build apparmor seccomp no_cri_dockerd'

# elsewhere vets the client for the systems it is made for and we do not run
# on. Its tests are left out: they need a whole controller.
elsewhere() {
  local goos package
  local -a files
  for goos in windows darwin; do
    for package in cmd/drycc platform/api/drycc/client; do
      mapfile -t files < <(GOOS=$goos go list -f "{{range .GoFiles}}$package/{{.}}{{\"\\n\"}}{{end}}" "./$package" | grep .)
      [ ${#files[@]} -gt 0 ] || return 1
      GOOS=$goos CGO_ENABLED=0 go vet "${files[@]}" || return 1
    done
  done
}

# static runs the staticcheck that scripts/lint/go.mod pins, from our modules.
static() {
  (cd scripts/lint && go build -o "$bin/staticcheck" honnef.co/go/tools/cmd/staticcheck) || return 1
  local -a packages
  mapfile -t packages < <(scripts/packages.sh light)
  [ "${LINT_HEAVY:-}" != 1 ] || mapfile -t packages < <(scripts/packages.sh all)
  "$bin/staticcheck" "${packages[@]}" && "$bin/staticcheck" -tags e2e ./test/... ./platform/kube &&
    (cd scripts/lint && "$bin/staticcheck" ./...)
}

sizes() {
  (cd scripts/lint && go test ./... && go build -o "$bin/size" ./size) && "$bin/size" .
}

shells() {
  local -a files
  mapfile -t files < <(find . -name .git -prune -o -path ./embedded/payload -prune -o \( -name '*.sh' -o -path ./.ci/run \) -print)
  # Explicit returns: a function tested with || does not stop at an error.
  shellcheck "${files[@]}" || return 1
  for f in install.sh uninstall.sh; do
    dash -n "$f" && bash -n "$f" || return 1
  done
}

check gofmt formatted
check sizes sizes
check shellcheck shells
check vet vet
check "vet of the client for other systems" elsewhere
check staticcheck static

if [ ${#failed[@]} -gt 0 ]; then
  echo "lint: ${failed[*]}: see above" >&2
  exit 1
fi
echo "lint: clean ($(go_files | wc -l) Go files in ${root##*/})"
