// Outcome: what an exchange says about who answered it, in two steps: at the head of the answer,
// and at the end of its body. Both the breaker and the ejection of outliers judge by it. Owner:
// none, plain values. Thread: any. What the client did, and what Banyan itself could not do, says
// nothing about the endpoint and has no outcome.
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>

#include "http/message.h"
#include "upstream/endpoint_settings.h"

namespace banyan {

enum class Outcome : uint8_t {
  answered,   // a good head
  failed,     // a bad status; or no head: refused, reset, too late, against the protocol
  completed,  // the body came to its end
  broken,     // the body broke off
};
constexpr bool is_failure(Outcome o) { return o == Outcome::failed || o == Outcome::broken; }

// Whose fault is it, when it is an error?
inline bool blames_upstream(const Error& error) {
  return error.side == Side::upstream && error.code != Code::cancelled &&
         error.code != Code::overloaded;
}

// Of the head. `failing`: statuses that are failures.
inline std::optional<Outcome> outcome_of(const Reply& reply, StatusRange failing) {
  if (reply) return failing.contains(reply->status) ? Outcome::failed : Outcome::answered;
  return blames_upstream(reply.error()) ? std::optional(Outcome::failed) : std::nullopt;
}

// Failures in a row. Heads and bodies are counted apart: else the good head of each answer would
// wipe out that its predecessor broke off.
struct FailureRun {
  uint32_t failed = 0;
  uint32_t broken = 0;

  void note(Outcome outcome) {
    uint32_t& run = outcome == Outcome::answered || outcome == Outcome::failed ? failed : broken;
    run = is_failure(outcome) ? run + 1 : 0;
  }
  uint32_t longest() const { return std::max(failed, broken); }
};

}  // namespace banyan
