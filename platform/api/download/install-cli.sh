#!/bin/sh
# Installs drycc, the command-line client of this controller.
#
#   curl -sfL http://drycc.example.com/install-cli.sh | sh
#   wget -qO- http://drycc.example.com/install-cli.sh | PREFIX=$HOME sh
#
# It downloads the program for this machine from the controller, checks its
# sha256, and puts it into $PREFIX/bin, or else into /usr/local/bin when that
# can be written to, or else into ~/.local/bin.
#
#   DRYCC_CONTROLLER_URL   download from this controller instead
#
# Exits 0 when installed, 1 on an error.

set -eu

say() { printf '%s\n' "$*"; }
fail() { printf 'Error: %s\n' "$*" >&2; exit 1; }

system() {
  case $(uname -s) in
    Linux) echo linux ;;
    Darwin) echo darwin ;;
    MINGW* | MSYS* | CYGWIN*) echo windows ;;
    *) fail "there is no drycc for $(uname -s): it exists for Linux, macOS and Windows" ;;
  esac
}

machine() {
  case $(uname -m) in
    x86_64 | amd64) echo amd64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) fail "there is no drycc for $(uname -m): it exists for amd64 and arm64" ;;
  esac
}

# fetch URL FILE
fetch() {
  if command -v curl >/dev/null 2>&1; then
    curl -fsSL --retry 3 -o "$2" "$1"
  elif command -v wget >/dev/null 2>&1; then
    wget -q -O "$2" "$1"
  else
    fail "neither curl nor wget is installed: install one, or download $1 with a browser"
  fi || fail "download of $1 ended early: check the address and the network"
}

# sum FILE prints its sha256.
sum() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum "$1" | cut -d ' ' -f 1
  elif command -v shasum >/dev/null 2>&1; then
    shasum -a 256 "$1" | cut -d ' ' -f 1
  elif command -v openssl >/dev/null 2>&1; then
    openssl dgst -sha256 -r "$1" | cut -d ' ' -f 1
  else
    fail "there is no sha256sum to check the download with: install coreutils"
  fi
}

# folder prints where the program goes.
folder() {
  if [ -n "${PREFIX:-}" ]; then
    echo "$PREFIX/bin"
  elif [ -d /usr/local/bin ] && [ -w /usr/local/bin ]; then
    echo /usr/local/bin
  else
    echo "${HOME:?is not set: set PREFIX}/.local/bin"
  fi
}

main() {
  url=${DRYCC_CONTROLLER_URL:-@CONTROLLER@}
  os=$(system)
  arch=$(machine)
  dir=$(folder)
  file=drycc-$os-$arch
  program=drycc
  if [ "$os" = windows ]; then
    file=$file.exe
    program=drycc.exe
  fi
  mkdir -p "$dir" || fail "$dir cannot be made: set PREFIX to a folder of yours"
  # On the same disk, so that the last step is a rename.
  tmp=$(mktemp -d "$dir/.drycc-install.XXXXXX") || fail "$dir cannot be written to: set PREFIX to a folder of yours"
  trap 'rm -rf "$tmp"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  say "downloading $url/cli/$file"
  fetch "$url/cli/$file.sha256" "$tmp/sum"
  read -r want _ <"$tmp/sum" || fail "$url/cli/$file.sha256 is empty"
  fetch "$url/cli/$file" "$tmp/$program"
  have=$(sum "$tmp/$program")
  [ "$have" = "$want" ] || fail "sha256 of $file is $have, the controller says $want: do not use it, download again"
  chmod 755 "$tmp/$program"
  mv -f "$tmp/$program" "$dir/$program"
  say "installed $dir/$program"
  case ":$PATH:" in
    *":$dir:"*) ;;
    *) say "$dir is not in your PATH; add it with: export PATH=\"$dir:\$PATH\"" ;;
  esac
  say "log in with: drycc login $url"
}

# The only thing that runs: a script cut off before here does nothing.
main "$@"
