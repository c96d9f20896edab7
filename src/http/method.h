// Method: the request methods that Banyan treats differently; any other token is passed on as it
// came, by its text. Methods are case-sensitive: "get" is Method::other.
// Owner: none. Thread: any.
// Safe and idempotent decide what may be sent twice, so they are exactly those of RFC 9110,
// section 9.2. An unknown method is neither.
#pragma once
#include <cstdint>
#include <string_view>

namespace banyan {

enum class Method : uint8_t {
  other,
  get,
  head,
  post,
  put,
  delete_,
  connect,
  options,
  trace,
  patch
};

constexpr Method parse_method(std::string_view s) {
  if (s == "GET") return Method::get;
  if (s == "POST") return Method::post;
  if (s == "HEAD") return Method::head;
  if (s == "PUT") return Method::put;
  if (s == "DELETE") return Method::delete_;
  if (s == "OPTIONS") return Method::options;
  if (s == "PATCH") return Method::patch;
  if (s == "CONNECT") return Method::connect;
  if (s == "TRACE") return Method::trace;
  return Method::other;
}
// Empty for Method::other, whose text only the message knows.
constexpr std::string_view text(Method m) {
  constexpr std::string_view texts[] = {"",       "GET",     "HEAD",    "POST",  "PUT",
                                        "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};
  return texts[static_cast<uint8_t>(m)];
}
constexpr bool is_safe(Method m) {
  return m == Method::get || m == Method::head || m == Method::options || m == Method::trace;
}
constexpr bool is_idempotent(Method m) {
  return is_safe(m) || m == Method::put || m == Method::delete_;
}

}  // namespace banyan
