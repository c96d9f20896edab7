// Cohort: what tells users apart where they are shared between versions: "cookie:sid",
// "header:x-user", "ip". Owner: a split's rule. Thread: any (read only). The place of a user is a
// number that only depends on its key and a version's name, so every worker, every process and
// every restart finds the same; the function must therefore never change.
#pragma once
#include <optional>
#include <string_view>

#include "config/problems.h"
#include "http/request_key.h"

namespace banyan {

class Cohort {
 public:
  // nullopt when the text is none, which is told.
  static std::optional<Cohort> parse(std::string_view text, const Place& place, Problems& problems);
  // What this request's user is known by, in the request; empty: it is not known.
  std::string_view key(const Request& request) const { return key_.of(request); }

 private:
  explicit Cohort(RequestKey key) : key_(std::move(key)) {}

  RequestKey key_;
};

// Between 0 and 1, both excluded; the same for the same texts, for ever.
double cohort_place(std::string_view key, std::string_view version);

}  // namespace banyan
