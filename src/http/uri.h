// Request targets and authorities: checked, and the path brought into one form, once, so that the
// router and the upstream see the same path. Owner: views into the raw target, or into the arena
// when something had to change. Thread: any. Normal form of a path (RFC 3986, section 6.2.2):
// unreserved characters decoded, other escapes in upper case, characters that need escaping
// escaped, dot segments gone, slashes merged (if set). Doing it twice changes nothing. Errors are
// 400, Side::client. A query is checked but never changed.
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "http/method.h"

namespace banyan {

struct PathRules {
  bool merge_slashes = true;
  // What an escaped slash or backslash in a path means: kept as it is, or refused. Decoding it
  // would let the router and the upstream see different segments, so that is not offered.
  enum class EncodedSlash : uint8_t { keep, refuse } encoded_slash = EncodedSlash::keep;
};

struct Target {
  enum class Form : uint8_t { origin, absolute, authority, asterisk };
  Form form = Form::origin;
  bool https = false;          // of the absolute form: its scheme
  std::string_view authority;  // empty: the target named none
  std::string_view path;       // normal form, begins with '/'; "*" for the asterisk form
  std::string_view query;      // without the '?'
  bool has_query = false;
  std::string_view forward;  // path and query as the next hop gets them
};

Result<Target> parse_target(Method method, Bytes raw, const PathRules& rules, Arena& arena);

// Another path (and the same query) for the next hop. The path must be in normal form.
Target with_path(const Target& target, std::string_view path, Arena& arena);

struct Authority {
  std::string_view host;  // brackets included for an IPv6 literal
  std::string_view port;  // empty: none
};
// host[:port]; no user information, no empty host. nullopt: it is none.
std::optional<Authority> parse_authority(std::string_view text);
// The host of an authority in lower case, without port and a final dot; empty when it cannot be
// read.
std::string_view lower_host(std::string_view authority, Arena& arena);

}  // namespace banyan
