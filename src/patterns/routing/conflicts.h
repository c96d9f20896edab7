// Conflicts: what is wrong with routes taken together. Two that are equal are an error that names
// both places; routes that can never match, and ties that the order of the file decides, are
// warnings. Owner: none, called while a table is built. Thread: any. Sound: whoever is told "never
// matches" can rely on it; not every such route is found. Cost: linear in the number of routes but
// for those of one host and path, which are compared in pairs while they are at most
// `compared_pairwise_max`.
#pragma once
#include "patterns/routing/table.h"

namespace banyan {

constexpr size_t compared_pairwise_max = 64;

void tell_conflicts(const RouteTable& table, std::span<const RouteSettings> settings,
                    std::span<const RoutePlace> places, Problems& problems);

}  // namespace banyan
