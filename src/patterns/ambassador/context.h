// ContextFilter: what a caller may ask of its call (Banyan-Retry, Banyan-Hedge), and what it is
// told of how the answer came about (Banyan-Attempts, Banyan-Served-By, Banyan-Reason). Owner: the
// service's stack. Thread: its loop's. It stands above all that obeys (Request::wishes) and all
// that is told of. What callers ask is always taken out of the request: it is for this hop, and the
// next one must not believe it of somebody else. And what another Banyan told is taken out of its
// answer: the names of endpoints behind it are not for everybody. An error is told of where it
// becomes an answer, at the edge (service/tell.h).
#pragma once
#include "patterns/ambassador/settings.h"
#include "service/service.h"

namespace banyan {

class ContextFilter final : public Filter {
 public:
  ContextFilter(ServicePtr wrapped, const ContextSettings& settings)
      : Filter(std::move(wrapped)), settings_(settings) {}
  Task<Reply> call(Request& request) override;

 private:
  const ContextSettings settings_;
};

// Banyan-Retry: `off`, or at most so many. nullopt: nothing that can be read.
std::optional<uint32_t> parse_retries(std::string_view text);
// Banyan-Hedge: `off`, `on`, or a time. What cannot be read changes nothing.
void read_hedge(std::string_view text, Wishes& into);

}  // namespace banyan
