// Model: a configuration that was read, checked and found good: the settings, what was compiled of
// them, and the text to show. Immutable; all workers share it.
// Owner: every worker's version holds it. Thread: any.
// All problems are told at once; a model exists only when there was no error.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/asked.h"
#include "app/settings.h"
#include "patterns/routing/split.h"
#include "patterns/routing/table.h"

namespace banyan {

struct Model {
  Settings settings;
  std::vector<RouteSettings> matches;  // of each route, in the order of settings.routes
  std::unique_ptr<const RouteTable> table;
  // Services that need no upstream and keep no state (redirects, fixed answers), so that all
  // workers may share them; by route (null: it has `to`), and by the name of a service.
  std::vector<ServicePtr> route_answers;
  std::map<std::string, ServicePtr, std::less<>> answers;
  std::map<std::string, SplitRule, std::less<>> splits;
  std::string dump;  // as YAML, secrets hidden
};
using ModelPtr = std::shared_ptr<const Model>;

struct Loaded {
  ModelPtr model;  // null when there is an error; warnings alone do not stop it
  Problems problems;
  std::vector<Asked> asked;  // what it was read from, also when there is an error
};

Loaded load_model(const std::string& path, const Sources& sources);

// The nearest settings of an offload block, key by key.
OffloadSettings merge(const OffloadSettings& nearer, const OffloadSettings& farther);

}  // namespace banyan
