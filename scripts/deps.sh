#!/bin/sh
# deps.sh GROUP...: installs the Debian packages of the groups `build`, `test`
# and `bench` that are missing. Runs apt only when something is; without root it
# says what to run.
set -eu

# tool[:package] is checked as a command, +package as an installed package.
build_deps='npm gcc pkg-config zstd readelf:binutils git +libc6-dev +libseccomp-dev +libapparmor-dev +zlib1g-dev'
test_deps='debootstrap shellcheck iptables ip:iproute2 wrk curl ssh-keygen:openssh-client nsenter:util-linux ps:procps dash +postgresql +slapd testssl:testssl.sh +bind9'
bench_deps='debootstrap ip:iproute2 wrk nsenter:util-linux ps:procps zstd nginx:nginx-light'

# missing prints the packages of the given words that are not there.
missing() {
  for word in "$@"; do
    case $word in
      +*)
        package=${word#+}
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
        ;;
      *)
        command -v "${word%%:*}" >/dev/null 2>&1 || echo "${word#*:}"
        ;;
    esac
  done
}

# check_go refuses early and in words; the go line of go.mod says what is needed.
check_go() {
  want=$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' "$(dirname "$0")/../go.mod")
  if ! command -v go >/dev/null 2>&1; then
    echo "Go is not installed (or not in PATH): install Go $want or newer from https://go.dev/dl/ to /usr/local/go" >&2
    exit 1
  fi
}

# idle_services keeps packages from starting their services until this script
# ends, unless the machine has a policy for that already.
idle_services() {
  policy=/usr/sbin/policy-rc.d
  [ ! -e "$policy" ] || return 0
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  trap 'exit 1' INT TERM
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}

main() {
  check_go
  words=
  for group in "$@"; do
    case $group in
      build) words="$words $build_deps" ;;
      test) words="$words $test_deps" ;;
      bench) words="$words $bench_deps" ;;
      *) echo "deps.sh: unknown group $group (build, test, bench)" >&2; exit 2 ;;
    esac
  done
  if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "this is not a Debian-like system; see docs/dev/building.md for what a build needs" >&2
    return 0
  fi
  # shellcheck disable=SC2086 # lists of words
  packages=$(missing $words | sort -u | tr '\n' ' ')
  [ -n "$packages" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    echo "missing packages; run: sudo apt-get install -y --no-install-recommends $packages" >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  # Tests run a directory server of their own: the package shall set up none.
  case " $packages " in
    *" slapd "*) echo 'slapd slapd/no_configuration boolean true' | debconf-set-selections ;;
  esac
  # What is measured against is a program to us: nothing of its package is to
  # take the ports of this machine.
  case " $packages " in
    *" nginx-light "*) idle_services ;;
  esac
  # shellcheck disable=SC2086
  apt-get install -y --no-install-recommends $packages ||
    { apt-get update && apt-get install -y --no-install-recommends $packages; }
}

main "$@"
