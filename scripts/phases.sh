#!/usr/bin/env bash
# phases.sh TARGET...: runs make targets in order and prints what each took,
# also when one fails; stops at the first failure and repeats what that said.
set -euo pipefail
cd "$(dirname "$0")/.."

report=()
summary() {
  echo
  echo "phase            time"
  printf '%s\n' "${report[@]}"
}
trap summary EXIT

# failures repeats the assertions that failed: they stand far above the end of
# a long log, and often only its end is kept.
failures() {
  echo
  echo "what failed in $1:"
  awk '/^ *--- FAIL/ || /panic:/ { print; next }
    /Error Trace:/ { within = 1; lines = 0 }
    within && lines++ < 25 { print }
    /Test: / { within = 0 }' "$2" | head -n 120
}

mkdir -p .phases
for target in "$@"; do
  start=$(date +%s)
  echo "== $target"
  code=0
  make --no-print-directory "$target" 2>&1 | tee ".phases/$target.log" || code=$?
  took=$(($(date +%s) - start))
  verdict=ok
  [ "$code" = 0 ] || verdict="FAILED ($code)"
  report+=("$(printf '%-14s %4dm%02ds  %s' "$target" $((took / 60)) $((took % 60)) "$verdict")")
  [ "$code" = 0 ] || { failures "$target" ".phases/$target.log"; exit "$code"; }
done
