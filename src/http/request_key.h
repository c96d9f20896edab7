// RequestKey: what tells requests apart where they are placed by a key (versions, endpoints,
// shares): "cookie:sid", "header:x-user", "ip", "path". Owner: whoever has the rule. Thread: any
// (read only). An `ip` is the client's address without the port, in 16 bytes (IPv4 mapped).
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace banyan {

class RequestKey {
 public:
  enum class Kind : uint8_t { cookie, header, ip, path };
  static constexpr std::string_view syntax = "cookie:NAME, header:NAME, ip, path";

  // nullopt: the text is none of the syntax.
  static std::optional<RequestKey> parse(std::string_view text);
  Kind kind() const { return kind_; }
  // A view into the request; empty: the request has none.
  std::string_view of(const Request& request) const;
  friend bool operator==(const RequestKey&, const RequestKey&) = default;

 private:
  RequestKey(Kind kind, std::string_view name) : kind_(kind), name_(name) {}

  Kind kind_;
  std::string name_;
};

}  // namespace banyan
