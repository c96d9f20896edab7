#!/bin/sh
# Tests of the program as a user runs it: real processes, real sockets.
#   test/process/run.sh [BINARY]
set -eu
cd "$(dirname "$0")/../.."
BANYAN=$(realpath "${1:-build/banyan}")
export BANYAN
# A discovery that finds nothing would pass.
ls test/process/*_test.py >/dev/null
exec python3 -m unittest discover -s test/process -p '*_test.py'
