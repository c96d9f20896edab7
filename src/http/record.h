// Record: what is remembered of one exchange for the access log and the metrics: who answered, how
// long each phase took, and when something failed, whose fault it was and why. Owner: the exchange.
// Thread: its loop's. Lifetimes: the views point into the configuration that the exchange holds,
// into its arena, or into literals.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "task/time.h"

namespace banyan {

struct Record {
  std::string_view route;  // names from the configuration; empty: none was reached
  std::string_view service;
  std::string_view endpoint;
  std::string_view path;  // that the client asked for, when the route has rewritten it
  // Which route of the running version's table: 0 none, n its index + 1. The metrics go by it.
  uint32_t route_index = 0;
  Time started{};    // the first byte of the request was there
  Time head_read{};  // the request's head was complete
  Time received{};   // the request's content was complete; zero: never
  Time connected{};  // a connection to the endpoint was at hand; zero: never
  Time answered{};   // the head of the answer was there; zero: never
  Time ended{};
  uint64_t bytes_in = 0;   // of the request's content
  uint64_t bytes_out = 0;  // of the answer's content
  uint16_t status = 0;     // 0: no answer was sent
  uint16_t attempts = 0;   // times the request was sent on
  bool reused = false;     // the endpoint's connection was used before
  // What was decided about sending it again, a literal: why not, though it failed. Empty: nothing.
  std::string_view decision;
  // What the caller is told of it, in fields of the answer.
  struct Tells {
    bool attempts = false;
    bool served_by = false;
    bool reason = false;
  };
  Tells tells;
  std::optional<Error> error;

  // The first failure is the cause; what follows from it is not written over it.
  void blame(const Error& why) {
    if (!error) error = why;
  }
};

}  // namespace banyan
