// validate: what no single setting can know: names that point to something, names given twice,
// services that lead back to themselves, addresses wanted twice.
// Owner: none, these are functions. Thread: any.
// Every problem is told with the place of the setting at fault.
#pragma once
#include "app/settings.h"

namespace banyan {

void validate(const Settings& settings, Problems& problems);

}  // namespace banyan
