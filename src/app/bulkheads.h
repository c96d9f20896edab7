// bulkheads: the compartments of a configuration: which one a service, a route or a group has, its
// layer with the reason for its place, its limits when a version is taken into use, and how it is
// told by GET /bulkheads (JSON) and /metrics.
// Owner: CallShares has the compartments, for the life of the process. Thread: any, but layers are
// built on the worker that uses them.
#pragma once
#include "app/model.h"
#include "base/prometheus.h"
#include "patterns/bulkhead/compartments.h"
#include "service/stack.h"

namespace banyan {

// Whose calls a compartment counts: the words of metrics, and the first part of its name.
enum class BulkheadOf : uint8_t { service, route, group };

// The layer of a `bulkhead`; `name` is the service's or route's. `shared` may be null to describe.
Layer bulkhead_layer(BulkheadOf of, std::string_view name, const BulkheadUse& use,
                     const BulkheadGroups& groups, Compartments* shared);
// Those of a version that is taken into use. Each worker may tell it, on its loop.
void set_bulkheads(const Model& model, Compartments& shared, Loop& loop);

std::string bulkheads_json(const Compartments& shared);
void write_bulkheads(Exposition& out, const Compartments& shared);

}  // namespace banyan
