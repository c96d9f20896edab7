// Asked: a request as one line of text, made the way a listener makes it, so that tables of tests
// read like what clients send: "GET shop.example/x?y=1 | x-api-version: 2 | from 10.0.0.1". Owner:
// the test; everything of the request lives in it. Thread: one. A target that a listener would
// refuse has no request (`refused()`).
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/message.h"
#include "io/address.h"

namespace banyan {

class Asked {
 public:
  explicit Asked(std::string_view text, const PathRules& rules = {}) {
    const std::string_view line = take(text, " | ");
    const size_t space = line.find(' ');
    CHECK(space != std::string_view::npos);
    method_text_ = line.substr(0, space);
    read_url(line.substr(space + 1), rules);
    while (!text.empty()) read_field(take(text, " | "));
  }
  // For texts that a line cannot hold.
  Asked(std::string_view method, std::string_view host, std::string_view target,
        const PathRules& rules = {})
      : method_text_(method), host_(host) {
    read_target(target, rules);
  }
  Asked(const Asked&) = delete;

  bool refused() const { return !target_.has_value(); }
  void add(std::string_view name, std::string_view value) {
    headers_.add(arena_.copy(name), arena_.copy(value));
  }
  void from(std::string_view ip) { client_ = parse_address(std::string(ip) + ":4711").value(); }
  void from(Address client) { client_ = client; }

  Request& request() {
    CHECK(target_.has_value());
    if (!request_)
      request_.emplace(Request{.arena = arena_,
                               .method = parse_method(method_text_),
                               .method_text = method_text_,
                               .target = *target_,
                               .authority = host_,
                               .host = lower_host(host_, arena_),
                               .headers = headers_,
                               .client = client_,
                               .record = record_});
    return *request_;
  }
  const Record& record() const { return record_; }

 private:
  // Cuts `rest` at `mark`.
  static std::string_view take(std::string_view& rest, std::string_view mark) {
    const size_t at = rest.find(mark);
    const std::string_view first = rest.substr(0, at);
    rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + mark.size());
    return first;
  }
  void read_url(std::string_view url, const PathRules& rules) {
    const size_t slash = method_text_ == "CONNECT" || url == "*" ? 0 : url.find('/');
    CHECK(slash != std::string_view::npos);
    host_ = url.substr(0, slash);
    read_target(url.substr(slash), rules);
  }
  void read_target(std::string_view target, const PathRules& rules) {
    target_ = parse_target(parse_method(method_text_), arena_.copy(target), rules, arena_);
  }
  void read_field(std::string_view field) {
    if (field.starts_with("from ")) return from(field.substr(5));
    const size_t colon = field.find(": ");
    CHECK(colon != std::string_view::npos);
    add(field.substr(0, colon), field.substr(colon + 2));
  }

  Arena arena_;
  Headers headers_{arena_};
  Record record_;
  Address client_ = parse_address("127.0.0.1:4711").value();
  std::string method_text_, host_;
  Result<Target> target_ = std::unexpected(Error{});
  std::optional<Request> request_;
};

}  // namespace banyan
