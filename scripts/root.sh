#!/bin/sh
# root.sh WHAT: ends with the cure when not run as root.
set -eu
if [ "$(id -u)" != 0 ]; then
  echo "$1 changes this machine (packages, services, network) and needs root: run sudo $1" >&2
  exit 1
fi
