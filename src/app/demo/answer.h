// What the services of the demo share: a path taken apart, a parameter read, answers as JSON and as
// problems. Owner: the service that calls; results are values. Thread: any. Kept apart from the
// patterns on purpose: these are the services that a user's team would have behind a gateway.
// Bounds: a path has `Segments::max` segments, else it is not found. Texts that come from a client
// are never put into an answer, but by the monolith's /echo, which is text/plain.
#pragma once
#include <array>
#include <optional>
#include <string>

#include "http/message.h"

namespace banyan::demo {

// "/products/7/reviews" -> "products" "7" "reviews"; "/" has none. An empty one counts.
class Segments {
 public:
  static constexpr size_t max = 4;
  explicit Segments(std::string_view path);
  // max + 1: there are more.
  size_t size() const { return size_; }
  // Empty when there is none.
  std::string_view operator[](size_t i) const { return at_[i]; }

 private:
  std::array<std::string_view, max + 1> at_{};
  size_t size_ = 0;
};

// The first `name` of a query or a form (application/x-www-form-urlencoded), decoded. An escape
// that is none stays as it is written.
std::optional<std::string> parameter(std::string_view form, std::string_view name);
// Digits that fit; anything else is nullopt.
std::optional<uint32_t> number(std::string_view digits);
// The content, whatever its type says; 413 beyond `bytes_max`.
Task<Result<std::string>> read_form(Request& request, size_t bytes_max);
bool is_read(const Request& request);  // GET or HEAD

// With the quotes.
std::string json_text(std::string_view text);
Response json(Request& request, std::string content);
Response bad_request(Request& request, std::string_view what);
Response not_found(Request& request, std::string_view what = "there is nothing at this path");
Response not_allowed(Request& request, std::string_view allow = "GET, HEAD");

}  // namespace banyan::demo
