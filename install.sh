#!/bin/sh
# Slipway installer.
#
#   curl -sfL https://github.com/slipway-paas/slipway/releases/latest/download/install.sh | sudo sh -
#   … | sudo PLATFORM_DOMAIN=example.com sh -s - --domain example.com
#   … | sudo K3S_URL=https://10.0.0.1:6443 K3S_TOKEN=… sh -s - install_k3s_agent
#
# It gets one file, checks its sha256, and runs it: the file does the rest and
# needs no network. Settings come from the environment (docs/settings.md);
# arguments that start with a dash go to the program. A host that joins gets the
# file from the server it joins, which the token tells apart from any other.
#
#   SLIPWAY_BINARY                 install this file and download nothing
#   INSTALL_SLIPWAY_VERSION        release to install, such as v0.1.0
#   INSTALL_SLIPWAY_CHANNEL        stable (default) or testing; CHANNEL means the same
#   INSTALL_SLIPWAY_BASE_URL       where releases are; file:// works
#   INSTALL_SLIPWAY_SKIP_DOWNLOAD  true: use the slipway that is already there
#   INSTALL_SLIPWAY_BIN_DIR        where that is (default /usr/local/bin, then /opt/bin)
#   INSTALL_SLIPWAY_EXEC           more arguments for the program
#   K3S_URL, K3S_TOKEN             join the cluster at that address; K3S_TOKEN may be a
#                                  whole token of "slipway token create" without K3S_URL
#   K3S_TOKEN_FILE                 file with the token
#
# Exits 0 when installed, 1 on an error, 2 on wrong usage, else as the program.

set -eu

info() { printf '[INFO]  %s\n' "$*"; }
fatal() { printf '[ERROR] %s\n' "$*" >&2; exit 1; }
usage() { printf '[ERROR] %s\n' "$*" >&2; exit 2; }

# arch prints the name that release files carry for this machine.
arch() {
  [ "$(uname -s)" = Linux ] || fatal "Slipway runs on Linux, this is $(uname -s)"
  case $(uname -m) in
    x86_64 | amd64) echo amd64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) fatal "there is no release for $(uname -m); amd64 and arm64 exist" ;;
  esac
}

# fetch URL FILE
fetch() {
  if command -v curl >/dev/null 2>&1; then
    curl -fsSL --retry 3 -o "$2" "$1"
  elif command -v wget >/dev/null 2>&1; then
    wget -q -O "$2" "$1"
  else
    fatal "neither curl nor wget is installed: install one, or download $1 elsewhere and set SLIPWAY_BINARY to it"
  fi || fatal "download of $1 ended early: check the address and the network, or set SLIPWAY_BINARY to a file"
}

# sum FILE prints its sha256.
sum() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum "$1" | cut -d ' ' -f 1
  elif command -v shasum >/dev/null 2>&1; then
    shasum -a 256 "$1" | cut -d ' ' -f 1
  else
    fatal "no sha256sum to check the download with: install coreutils"
  fi
}

# joining tells whether a cluster is to be joined, and sets K3S_URL and token.
joining() {
  token=${K3S_TOKEN:-}
  if [ -z "$token" ] && [ -n "${K3S_TOKEN_FILE:-}" ]; then
    [ -r "$K3S_TOKEN_FILE" ] || fatal "K3S_TOKEN_FILE=$K3S_TOKEN_FILE cannot be read"
    read -r token <"$K3S_TOKEN_FILE" || [ -n "$token" ]
  fi
  case $token in
    K10*@https://*)
      K3S_URL=${K3S_URL:-${token##*@}}
      token=${token%@https://*}
      ;;
  esac
  [ -n "${K3S_URL:-}" ]
}

# ask CONFIG URL FILE: an HTTPS request whose options, with what is secret, are
# in a file: a command line can be read by everybody.
ask() {
  case $downloader in
    curl) curl -fsS --retry 3 --config "$1" -o "$3" "$2" ;;
    wget) WGETRC=$1 wget -q -O "$3" "$2" ;;
  esac
}

# from_server puts the program of the server in K3S_URL into $tmp/slipway. Only
# the hash in the token is believed: first the server has to show the authority
# with that hash, then everything else comes through it.
from_server() {
  [ -n "$token" ] || fatal "K3S_URL joins a cluster: set K3S_TOKEN too (on the server: slipway token create)"
  hash=${token#K10}
  hash=${hash%%::*}
  if [ "$hash" = "$token" ] || [ ${#hash} -ne 64 ]; then
    fatal "K3S_TOKEN does not hold the hash of the cluster's authority, so that anybody could pretend to be its server: use a whole token, which begins with K10 (on the server: slipway token create)"
  fi
  rest=${K3S_URL#https://}
  [ "$rest" != "$K3S_URL" ] || fatal "K3S_URL=$K3S_URL: write https://<address of a server>:6443"
  rest=${rest%%/*}
  server=${rest%:*}
  [ "$server" != "$rest" ] || rest=$rest:6443
  downloader=curl
  if ! command -v curl >/dev/null 2>&1; then
    downloader=wget
    case $(wget --version 2>/dev/null || true) in "GNU Wget"*) ;; *) downloader= ;; esac
    [ -n "$downloader" ] || fatal "neither curl nor GNU wget is installed: install one, or copy the server's /usr/local/bin/slipway here and set SLIPWAY_BINARY to it"
  fi
  folder
  (umask 077 && : >"$tmp/ask" && : >"$tmp/anybody")
  if [ $downloader = curl ]; then
    echo 'insecure' >"$tmp/anybody"
    printf 'cacert = "%s"\nheader = "Authorization: Bearer %s"\n' "$tmp/ca.pem" "${token#*::}" >"$tmp/ask"
  else
    echo 'check_certificate = off' >"$tmp/anybody"
    printf 'ca_certificate = %s\nheader = Authorization: Bearer %s\n' "$tmp/ca.pem" "${token#*::}" >"$tmp/ask"
  fi
  info "asking the server $rest"
  ask "$tmp/anybody" "https://$rest/cacerts" "$tmp/ca.pem" ||
    fatal "https://$rest does not answer: check K3S_URL, and that port 6443 of the server is reached from here"
  [ "$(sum "$tmp/ca.pem")" = "$hash" ] ||
    fatal "https://$rest is not a server of the cluster that made the token: check K3S_URL, or make a token there"
  door=https://$server:9583/v1/binary
  if ! ask "$tmp/ask" "$door.sha256?arch=$(arch)" "$tmp/sums" 2>/dev/null; then
    # Once more without -f, which hides what the server has to say.
    [ $downloader != curl ] || reason=$(curl -sS --config "$tmp/ask" "$door.sha256?arch=$(arch)" 2>&1) || true
    fatal "the server does not let this host in: ${reason:-the token has ended, was taken back or is wrong (on the server: slipway token create), or port 9583 of the server is not reached from here}"
  fi
  read -r want _ <"$tmp/sums"
  info "downloading $door"
  ask "$tmp/ask" "$door" "$tmp/slipway" || fatal "download of $door ended early: check the network and run this again"
  have=$(sum "$tmp/slipway")
  [ "$have" = "$want" ] || fatal "sha256 of $door is $have, the server says $want: run this again"
  chmod 755 "$tmp/slipway"
}

# release_url prints the address of the folder with the wanted release.
release_url() {
  base=${INSTALL_SLIPWAY_BASE_URL:-https://github.com/slipway-paas/slipway/releases}
  channel=${INSTALL_SLIPWAY_CHANNEL:-${CHANNEL:-stable}}
  if [ -n "${INSTALL_SLIPWAY_VERSION:-}" ]; then
    echo "${base%/}/download/$INSTALL_SLIPWAY_VERSION"
  elif [ "$channel" = stable ]; then
    echo "${base%/}/latest/download"
  else
    echo "${base%/}/download/$channel"
  fi
}

# folder makes the new private folder $tmp, which goes away with this script.
folder() {
  # The program is large; /tmp is often a small part of the memory.
  tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/slipway-install.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

# download puts the checked program into a new private folder: $tmp/slipway.
download() {
  arch=$(arch)
  file=slipway-linux-$arch
  sums=sha256sum-$arch.txt
  url=$(release_url)
  folder
  info "downloading $url/$file"
  fetch "$url/$sums" "$tmp/sums"
  want=$(while read -r hash name; do
    [ "${name#\*}" != "$file" ] || echo "$hash"
  done <"$tmp/sums")
  [ -n "$want" ] || fatal "$url/$sums does not name $file"
  fetch "$url/$file" "$tmp/slipway"
  have=$(sum "$tmp/slipway")
  [ "$have" = "$want" ] || fatal "sha256 of $file is $have, its release says $want: do not use it, download again"
  chmod 755 "$tmp/slipway"
}

# present prints the path of a slipway that is already on this machine.
present() {
  for dir in "${INSTALL_SLIPWAY_BIN_DIR:-/usr/local/bin}" /opt/bin; do
    if [ -x "$dir/slipway" ]; then
      echo "$dir/slipway"
      return
    fi
  done
  command -v slipway || fatal "INSTALL_SLIPWAY_SKIP_DOWNLOAD is set and there is no slipway in ${INSTALL_SLIPWAY_BIN_DIR:-/usr/local/bin}, /opt/bin or PATH"
}

# verb VERB prints the program's arguments for what the caller asked for.
verb() {
  case $1 in
    '') if joining; then echo "join agent"; else echo "install --yes"; fi ;;
    server | install_k3s_server) if joining; then echo "join server"; else echo "install --yes"; fi ;;
    agent | install_k3s_agent)
      joining || usage "$1 joins a cluster: set K3S_URL (https://HOST:6443) and K3S_TOKEN"
      echo "join agent"
      ;;
    *) usage "unknown word $1: install_k3s_server, install_k3s_agent, or flags of slipway install" ;;
  esac
}

main() {
  word=
  case ${1:-} in
    '' | -*) ;;
    *) word=$1 && shift ;;
  esac
  what=$(verb "$word")
  # shellcheck disable=SC2086 # words on purpose
  set -- $what "$@" ${INSTALL_SLIPWAY_EXEC:-}

  if [ -n "${SLIPWAY_BINARY:-}" ]; then
    if [ ! -f "$SLIPWAY_BINARY" ] || [ ! -x "$SLIPWAY_BINARY" ]; then
      fatal "SLIPWAY_BINARY=$SLIPWAY_BINARY is not an executable file"
    fi
    exec "$SLIPWAY_BINARY" "$@"
  fi
  case ${INSTALL_SLIPWAY_SKIP_DOWNLOAD:-} in
    true | 1 | yes)
      slipway=$(present)
      exec "$slipway" "$@"
      ;;
  esac
  case $what in
    join*) joining && from_server ;;
    *) download ;;
  esac
  # Not exec: the downloaded copy goes away when the program has ended.
  code=0
  "$tmp/slipway" "$@" || code=$?
  exit "$code"
}

# The only thing that runs. A script cut off anywhere above or inside it ends
# in definitions or in a syntax error, and does nothing.
{
  main "$@"
}
