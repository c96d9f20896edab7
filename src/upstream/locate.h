// Location: where an endpoint's URL says the service is: an address, or a name to be asked for.
// Owner: a plain value. Thread: any. Read at load, so that a bad URL is told with its place, and
// with what to write instead. Source: RFC 3986 (authority), RFC 1123 (host names), RFC 2782 (SRV).
#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "io/address.h"

namespace banyan {

struct Location {
  enum class Kind : uint8_t {
    fixed,    // `address`
    name,     // every A and AAAA of `host`, at `port`
    service,  // the SRV record `host`
  };
  Kind kind = Kind::fixed;
  std::string host;         // of a name or service, lower-case
  uint16_t port = 0;        // of a name
  Address address;          // of a fixed one
  std::string host_header;  // for requests of Banyan's own (health): those of clients keep theirs
  bool http = true;         // false: tcp://, of any other protocol
  bool http2 = false;       // h2c://
  enum class Tls : uint8_t { unsaid, never, always } tls = Tls::unsaid;  // http://, https://
  std::string tls_name;  // that a certificate must have; empty: the URL names nobody

  friend bool operator==(const Location&, const Location&) = default;
};

// "http://10.0.0.1:80", "catalog:8080": for logs and the admin page.
std::string to_string(const Location& location);

// http://host:port  http://[::1]:port  https://host:port  tcp://host:port  unix:/path
// unix:@abstract  dns:name:port dns+srv:_http._tcp.name; or what is wrong, as a text for the user.
std::expected<Location, std::string> locate(std::string_view url);

}  // namespace banyan
