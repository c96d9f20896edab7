#!/bin/sh
# Installs the packages of the groups named, as scripts/packages.txt lists them: only what is
# missing, without a question, as root or through sudo.
#   scripts/packages.sh build test
set -eu
list=$(dirname "$0")/packages.txt

# The lines of one group. `a|b` is satisfied by either; a is what gets installed.
names_of() {
  awk -v group="[$1]" '/^\[/ { on = $0 == group; found += on; next } on && NF && !/^#/
                       END { exit !found }' "$list" || {
    echo "packages: there is no group '$1'; there are:" $(grep -o '^\[.*\]' "$list") >&2
    exit 2
  }
}

installed() {
  dpkg-query --show --showformat '${db:Status-Abbrev}\n' "$1" 2>/dev/null | grep -q '^[hi]i'
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif ! command -v sudo >/dev/null; then
    echo "packages: not root, and there is no sudo. As root, run: apt-get install $missing" >&2
    exit 1
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@" # nobody is there to type a password
  fi
}

for group; do names_of "$group" >/dev/null; done
missing=
for group; do
  for names in $(names_of "$group"); do
    there=
    for name in $(echo "$names" | tr '|' ' '); do
      if installed "$name"; then there=yes; fi
    done
    if [ -z "$there" ]; then missing="$missing ${names%%|*}"; fi
  done
done
if [ -z "$missing" ]; then exit 0; fi

echo "packages: installing$missing"
# The lists may be old, or not there at all. That they cannot be had is told only when it matters.
as_root apt-get update -qq || true
unknown=
for name in $missing; do
  if ! apt-cache policy "$name" | grep -q 'Candidate: [^(]'; then unknown="$unknown $name"; fi
done
if [ -n "$unknown" ]; then
  system=$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)
  cat >&2 <<END
packages: no source of this machine (${system:-unknown system}) has:$unknown
Banyan is built on Debian 12, whose section main has them all today. Look at what apt-get update
says and at /etc/apt/sources.list, or install them from elsewhere under these names. Then run the
same command again.
END
  exit 1
fi
if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
  -o Dpkg::Use-Pty=0 install --yes --no-install-recommends $missing </dev/null; then
  echo "packages: apt-get could not install:$missing" >&2
  echo "What it said is above. Mend that, then run the same command again." >&2
  exit 1
fi
