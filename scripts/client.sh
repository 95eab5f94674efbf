#!/usr/bin/env bash
# client.sh [VERSION]: build the drycc client for every system into
# embedded/clients, from where the slipway binary takes it.
set -euo pipefail
cd "$(dirname "$0")/.."
exec env -u CC GOOS= GOARCH= go run ./scripts/client -out embedded/clients -version "${1:-v0.1.0-dev}"
