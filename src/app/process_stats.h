// Process statistics: what the kernel says of this process, under the names that dashboards know.
// Owner: none. Thread: not a loop's: it reads files of /proc, and counts descriptors one by one.
// Source: prometheus.io/docs/instrumenting/writing_clientlibs, "Process metrics".
#pragma once
#include "base/prometheus.h"

namespace banyan {

// What cannot be read is left out.
void write_process_stats(Exposition& out);

}  // namespace banyan
