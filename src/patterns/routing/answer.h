// Answer: the same answer for every request ("respond" in the configuration). Owner: the worker's
// snapshot. Thread: its loop's. The content is not copied: bodies are views into this service,
// which outlives them (service/service.h). HEAD gets the same head; the connection leaves the
// content out.
#pragma once
#include <optional>

#include "config/problems.h"
#include "patterns/routing/settings.h"
#include "service/service.h"

namespace banyan {

class Answer final : public Service {
 public:
  // Null when something is wrong, which is told: a status that has no content but is given one, a
  // content type that is no field value.
  static std::shared_ptr<Answer> make(const RespondSettings& settings, const Place& place,
                                      Problems& problems);
  Task<Reply> call(Request& request) override;

 private:
  explicit Answer(RespondSettings settings) : settings_(std::move(settings)) {}

  const RespondSettings settings_;
};

}  // namespace banyan
