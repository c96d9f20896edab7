// tell: what an exchange's caller is told of how its answer came about, in fields of the answer:
// Banyan-Attempts, Banyan-Served-By, Banyan-Reason.
// Owner: none, it is a function. Thread: any. What of it is told stands in Record::tells, nothing
// unless a filter says so; the values are names from the configuration and literals. What another
// Banyan behind us has told is removed: the names of its endpoints are not for everybody.
#pragma once
#include "http/headers.h"
#include "http/record.h"

namespace banyan {

void tell(const Record& record, Headers& answer);

}  // namespace banyan
