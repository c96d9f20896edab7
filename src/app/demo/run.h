// run_demo: `banyan demo`: the shop, the gateway in front of it, and what to try.
// Owner: main. Thread: the one that calls it. Returns the exit status of the process.
#pragma once
#include "app/process.h"

namespace banyan {

// Of the options only `workers` counts; the configuration is demo_config().
int run_demo(RunOptions options);

}  // namespace banyan
