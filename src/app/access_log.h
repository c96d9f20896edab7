// AccessLine: one exchange as one JSON object on a line. Owner: an ExchangeObserver. Thread: its
// worker's. Fields that have no value are left out; every text is escaped and cut at its bound
// (below), so a line has at most `line_max` bytes whatever a client sends. Of the request's fields
// only two are named, User-Agent and X-Request-Id: what may be a secret (Authorization, Cookie, the
// query unless it is asked for) cannot get in. `path` is what the client asked for, in normal form,
// not what a route made of it. `time` is when the exchange was over (RFC 3339, UTC); phases are in
// milliseconds and follow each other: head (until the request's head was there), wait (for a
// connection to the endpoint), answer (until the head of the answer), content (until the end).
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "http/message.h"

namespace banyan {

class AccessLine {
 public:
  static constexpr size_t path_max = 2048, query_max = 2048, agent_max = 512, name_max = 256;
  static constexpr size_t request_id_max = 128, method_max = 32;
  static constexpr size_t escaped_max = 6;   // a byte as \u00XX
  static constexpr size_t fixed_max = 1536;  // keys, numbers, literals, an address
  static constexpr size_t line_max = escaped_max * (path_max + query_max + agent_max +
                                                    request_id_max + method_max + 7 * name_max) +
                                     fixed_max;

  // `with_query`: log the query, too.
  AccessLine(std::string_view listener, bool with_query);

  // `request` is null when its head could not be read. With its '\n'; valid until the next call.
  std::string_view format(const Request* request, const Address& client, const Record& record,
                          WallTime now);

 private:
  class Out;
  void time(Out& out, WallTime now);
  void message(Out& out, const Request& request) const;
  void headers(Out& out, const Headers& headers) const;

  std::string listener_;
  bool with_query_;
  int64_t second_ = INT64_MIN;  // that second_text_ says
  char second_text_[24];
  std::unique_ptr<char[]> line_;
};

}  // namespace banyan
