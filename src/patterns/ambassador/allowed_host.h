// AllowedHost: hosts and ports that a forward proxy leads to, as one text says: "api.example",
// "*.example:443", "10.0.0.7:*", "[fd00::1]:8080", "*". Owner: a plain value. Thread: any. A star
// in front stands for one or more labels; without a port 80 and 443 are meant, with ":*" every
// port.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace banyan {

class AllowedHost {
 public:
  // nullopt: the text is none.
  static std::optional<AllowedHost> parse(std::string_view text);
  // `host` in lower case, without a final dot; brackets around an IPv6 address.
  bool allows(std::string_view host, uint16_t port) const;
  // The host is an address, so that nobody can lead it elsewhere.
  bool is_address() const { return address_; }
  bool is_everything() const { return any_ && suffix_.empty(); }
  const std::string& text() const { return text_; }
  friend bool operator==(const AllowedHost&, const AllowedHost&) = default;

 private:
  std::string text_;    // as written
  std::string host_;    // of one host
  std::string suffix_;  // ".example", of all below it; with an empty one `any_` is every host
  bool any_ = false;
  bool address_ = false;
  std::optional<uint16_t> port_;
  bool every_port_ = false;
};

}  // namespace banyan
