// What clients say of who they are: an Origin, and a chain of X-Forwarded-For. Whatever they say,
// an origin is allowed only when it is one of those written, and a chain names a client that nobody
// who is trusted has hidden. Input: a line of Origin, then lines of X-Forwarded-For.
#include "fuzz/fuzz.h"
#include "io/address.h"
#include "patterns/offloading/cors.h"
#include "patterns/offloading/ip_rules.h"

namespace banyan {
namespace {

void run(fuzz::Input in) {
  static const CorsPolicy policy(
      {.origins = {"https://shop.example", "https://*.blog.example:8443"}});
  static const std::vector<Cidr> trust = {*parse_cidr("10.0.0.0/8")};
  const std::string_view origin = in.until('\n');
  if (policy.allows_origin(origin) && origin != "https://shop.example") {
    CHECK(origin.starts_with("https://") && origin.ends_with(".blog.example:8443"));
    CHECK(origin.find_first_of("/@#?:", 8) == origin.size() - 5);
  }
  Arena arena;
  Headers headers(arena);
  while (!in.empty()) headers.add(Name::x_forwarded_for, in.until('\n'));
  Record record;
  const Address peer = *parse_ip("10.0.0.1", 80);
  const Request request{.arena = arena, .headers = headers, .client = peer, .record = record};
  const auto client = real_client(request, trust);
  CHECK(client.has_value());
  const Address stranger = *parse_ip("192.0.2.1", 80);
  const Request other{.arena = arena, .headers = headers, .client = stranger, .record = record};
  CHECK(real_client(other, trust) == stranger.ip);
}

}  // namespace
}  // namespace banyan

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  banyan::run({data, size});
  return 0;
}
