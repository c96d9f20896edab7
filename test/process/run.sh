#!/bin/sh
# Tests of the program as a user runs it: real processes, real sockets.
#   test/process/run.sh [BINARY]
set -eu
cd "$(dirname "$0")/../.."
export BANYAN="${1:-build/banyan}"
exec python3 -m unittest discover -s test/process -p '*_test.py'
