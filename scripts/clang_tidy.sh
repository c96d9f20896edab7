#!/bin/sh
# clang-tidy over the sources (.clang-tidy says what it looks for), all cores at once.
#   scripts/clang_tidy.sh [file...]     without files: all of src/
set -eu
cd "$(dirname "$0")/.."
if [ $# -eq 0 ]; then set -- $(git ls-files 'src/*.cc'); fi
printf '%s\n' "$@" |
  xargs -P "$(nproc)" -n 4 clang-tidy-19 -p build-asan --quiet --extra-arg=-Wno-unknown-warning-option
