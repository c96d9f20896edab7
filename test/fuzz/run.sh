#!/bin/sh
# Runs every fuzz target for SECONDS, from its committed corpus. What it finds new stays in
# build-fuzz/corpus; a crash is kept beside it, told, and fails the run.
#   test/fuzz/run.sh SECONDS [target...]
set -eu
seconds=${1:?how many seconds for each target}
shift
top=$(cd "$(dirname "$0")/../.." && pwd)
build="$top/build-fuzz"
targets=${*:-$(cd "$top/test/fuzz" && ls ./*_fuzz.cc | sed 's#^\./##; s#_fuzz\.cc$##')}
failed=
for name in $targets; do
  mkdir -p "$build/corpus/$name"
  dictionary=
  if [ -f "$top/test/fuzz/$name.dict" ]; then dictionary="-dict=$top/test/fuzz/$name.dict"; fi
  echo "== $name, $seconds s"
  "$build/test/${name}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 $dictionary -artifact_prefix="$build/crash-$name-" \
    "$build/corpus/$name" "$top/test/fuzz/corpus/$name" >"$build/$name.log" 2>&1 ||
    failed="$failed $name"
  grep -E '^stat::(number_of_executed_units|average_exec_per_sec|new_units_added)' \
    "$build/$name.log" || true
done
if [ -n "$failed" ]; then
  for name in $failed; do
    echo "-- $name crashed; the end of build-fuzz/$name.log:" >&2
    grep -v 'Uses:' "$build/$name.log" | tail -n 30 >&2
  done
  exit 1
fi
