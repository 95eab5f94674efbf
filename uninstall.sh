#!/bin/sh
# Slipway removal: everything it made on this machine, checked afterwards.
#
#   curl -sfL https://github.com/slipway-paas/slipway/releases/latest/download/uninstall.sh | sudo sh -
#   … | sudo sh -s - --keep-data
#
# SLIPWAY_BINARY names the program when it is not in /usr/local/bin, /opt/bin
# or PATH. Exits 0 when nothing is left, else as the program says.

set -eu

fatal() { printf '[ERROR] %s\n' "$*" >&2; exit 1; }

# program prints the path of the slipway that knows what was installed.
program() {
  for file in "${INSTALL_SLIPWAY_BIN_DIR:-/usr/local/bin}/slipway" /opt/bin/slipway "${SLIPWAY_BINARY:-}"; do
    if [ -f "$file" ] && [ -x "$file" ]; then
      echo "$file"
      return
    fi
  done
  command -v slipway || fatal "there is no slipway on this machine: nothing to remove (or set SLIPWAY_BINARY to it)"
}

main() {
  slipway=$(program)
  exec "$slipway" uninstall --yes "$@"
}

# The only thing that runs; see install.sh.
{
  main "$@"
}
