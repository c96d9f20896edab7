# Everything one does with Banyan, on a bare Debian 12 with git, make, and root or sudo.
# The build itself is CMake's (CMakePresets.json); the packages are named in scripts/packages.txt.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# What a target installs first, if it is missing.
GROUPS ?= build
# For `make run`, `make bench`, `make lint`: more arguments.
ARGS ?=
# How long `make fuzz` runs each target.
FUZZ_SECONDS ?= 60

JOBS := $(shell nproc)
FUZZERS := $(notdir $(basename $(wildcard test/fuzz/*_fuzz.cc)))
THREADED := test_task test_io test_app

export PYTHONDONTWRITEBYTECODE = 1
export ASAN_OPTIONS ?= detect_stack_use_after_return=1
export UBSAN_OPTIONS ?= print_stacktrace=1
export TSAN_OPTIONS ?= halt_on_error=1
export ASAN_SYMBOLIZER_PATH ?= /usr/lib/llvm-19/bin/llvm-symbolizer
export TSAN_SYMBOLIZER_PATH ?= /usr/lib/llvm-19/bin/llvm-symbolizer

.PHONY: help packages build run test bench format lint fuzz clean
.PHONY: check-rules check-format check-clang test-scripts test-units test-bench test-process test-threads

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

packages:  ## installs what is missing of GROUPS="build test bench"
	@scripts/packages.sh $(GROUPS)

build: packages  ## build/banyan, optimised
	@cmake --preset release >build.log 2>&1 || { cat build.log; rm -f build.log; exit 1; }
	@rm -f build.log
	@ninja -C build banyan

run: build  ## builds, then starts the demo: a small shop and a gateway before it (ARGS="--workers 1")
	build/banyan demo $(ARGS)

test:  ## everything that CI runs, with the time of each step
	@scripts/test.sh

bench: GROUPS = build bench
bench: build  ## beside nginx and haproxy: see bench/README.md (ARGS="--quick")
	python3 bench/run.py $(ARGS)

format:  ## brings all sources into their form
	@git ls-files '*.h' '*.cc' | xargs -P $(JOBS) -n 32 clang-format-19 -i

lint: check-rules check-format check-clang  ## the rules, the form, and clang-tidy over all sources

fuzz: build-fuzz/build.ninja  ## FUZZ_SECONDS=60 for each target
	@ninja -C build-fuzz $(FUZZERS)
	@test/fuzz/run.sh $(FUZZ_SECONDS)

clean:  ## removes what was built
	rm -rf build build-asan build-tsan build-fuzz build-bench

# The steps of `make test`; each also stands alone, once its packages are there.
check-rules:
	@test/tidy.py

check-format:
	@git ls-files '*.h' '*.cc' | xargs -P $(JOBS) -n 32 clang-format-19 --dry-run -Werror

check-clang: build-asan/build.ninja
	@scripts/clang_tidy.sh $(ARGS)

test-scripts:
	@python3 -m unittest discover -s test -p '*_test.py'

test-units: build-asan/build.ninja
	@ninja -C build-asan
	@ctest --test-dir build-asan --parallel $(JOBS) --output-on-failure --no-tests=error --progress

test-bench:
	@python3 -m unittest discover -s bench -p '*_test.py'

test-process:
	@test/process/run.sh build/banyan

test-threads: build-tsan/build.ninja
	@ninja -C build-tsan $(THREADED)
	@for test in $(THREADED); do build-tsan/test/$$test --gtest_brief=1 || exit 1; done

build-%/build.ninja: CMakeLists.txt CMakePresets.json
	@cmake --preset $*
	@touch $@
