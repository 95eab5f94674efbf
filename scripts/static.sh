#!/bin/sh
# static.sh FILE: checks that FILE is one statically linked ELF, and prints its size.
set -eu
if readelf -l "$1" | grep -q 'INTERP'; then
  echo "$1 is dynamically linked; it would not run on a bare host" >&2
  exit 1
fi
printf '%s: static, %s MB\n' "$1" "$(( $(stat -c %s "$1") / 1000000 ))"
