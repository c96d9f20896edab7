#!/bin/sh
# All tests and checks, one step after the other. A step that fails does not stop the others, so
# that one run tells everything; only without its packages or its binary nothing goes on. The time
# of each step, and what failed, stand at the end.
set -eu
cd "$(dirname "$0")/.."
times=
passed=0
failed=0
began=$(date +%s)

step() {
  name=$1
  shift
  echo "== $name"
  start=$(date +%s)
  if "$@"; then
    verdict=passed
    passed=$((passed + 1))
  else
    verdict=FAILED
    failed=$((failed + 1))
  fi
  times="$times$(printf '%-10s %6d s  %s' "$name" $(($(date +%s) - start)) "$verdict")
"
  [ "$verdict" = passed ]
}

finish() {
  echo "== $(($(date +%s) - began)) s in all"
  printf '%s' "$times"
  echo "$passed passed, $failed failed"
  exit $((failed != 0))
}

step packages make packages GROUPS='build test' || finish
step rules make check-rules || true
step format make check-format || true
step scripts make test-scripts || true
step build make build || finish
step units make test-units || true
step clang make check-clang || true
step process make test-process || true
step bench make test-bench || true
step fuzz make fuzz FUZZ_SECONDS=5 || true
step threads make test-threads || true
finish
