#!/usr/bin/env bash
# phases.sh TARGET...: runs make targets in order and prints what each took,
# also when one fails; stops at the first failure.
set -euo pipefail
cd "$(dirname "$0")/.."

report=()
summary() {
  echo
  echo "phase            time"
  printf '%s\n' "${report[@]}"
}
trap summary EXIT

for target in "$@"; do
  start=$(date +%s)
  echo "== $target"
  code=0
  make --no-print-directory "$target" || code=$?
  took=$(($(date +%s) - start))
  verdict=ok
  [ "$code" = 0 ] || verdict="FAILED ($code)"
  report+=("$(printf '%-14s %4dm%02ds  %s' "$target" $((took / 60)) $((took % 60)) "$verdict")")
  [ "$code" = 0 ] || exit "$code"
done
