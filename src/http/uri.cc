#include "http/uri.h"

#include <algorithm>

#include "http/grammar.h"
#include "io/address.h"

namespace banyan {

namespace {

std::unexpected<Error> bad(const char* what) {
  return fail({Code::protocol, Side::client, false, 400, what});
}

// No escapes, no empty and no dot segments: nothing to do. Most paths are like this.
bool is_plain(std::string_view path, bool merge_slashes) {
  char before = 0;
  for (char c : path) {
    if (!is(c, path_char)) return false;
    if (before == '/' && (c == '.' || (c == '/' && merge_slashes))) return false;
    before = c;
  }
  return true;
}

void escape(char c, char*& to) {
  static constexpr char hex[] = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  *to++ = '%';
  *to++ = hex[byte >> 4];
  *to++ = hex[byte & 15];
}

// Escapes in one form: at most three bytes come out for each that goes in.
Result<> normalise_escapes(std::string_view path, const PathRules& rules, char*& to) {
  for (size_t i = 0; i < path.size(); ++i) {
    char c = path[i];
    if (c == '\\') return bad("the path has a backslash");
    if (c != '%') {
      if (is(c, path_char))
        *to++ = c;
      else
        escape(c, to);
      continue;
    }
    const int high = i + 2 < path.size() ? hex_value(path[i + 1]) : -1;
    const int low = i + 2 < path.size() ? hex_value(path[i + 2]) : -1;
    if (high < 0 || low < 0) return bad("the path has a '%' that begins no escape");
    c = static_cast<char>(high << 4 | low);
    i += 2;
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return bad("the path has an escaped control byte");
    if ((c == '/' || c == '\\') && rules.encoded_slash == PathRules::EncodedSlash::refuse)
      return bad("the path has an escaped slash");
    if (is(c, unreserved_char))
      *to++ = c;
    else
      escape(c, to);
  }
  return {};
}

// Removes "." and ".." segments, and empty ones if asked, in place (RFC 3986, section 5.2.4).
Result<size_t> remove_segments(char* path, size_t size, bool merge_slashes) {
  size_t out = 0;
  for (size_t at = 0; at < size;) {
    // path[at] is '/'; the segment is what follows up to the next one.
    char* const next = std::find(path + at + 1, path + size, '/');
    const std::string_view segment(path + at + 1, static_cast<size_t>(next - path) - at - 1);
    const bool last = next == path + size;
    if (segment == "..") {
      if (out == 0) return bad("the path climbs above its root");
      while (path[--out] != '/') {
      }
      if (last) path[out++] = '/';
    } else if (segment == "." || (segment.empty() && merge_slashes && !last)) {
      if (last) path[out++] = '/';
    } else {
      std::copy(path + at, next, path + out);
      out += static_cast<size_t>(next - path) - at;
    }
    at = static_cast<size_t>(next - path);
  }
  return out;
}

Result<std::string_view> normalise_path(std::string_view path, const PathRules& rules,
                                        Arena& arena) {
  if (is_plain(path, rules.merge_slashes)) return path;
  char* const begin = arena.array<char>(path.size() * 3);
  char* end = begin;
  TRY_RETURN(normalise_escapes(path, rules, end));
  const size_t size =
      TRY_RETURN(remove_segments(begin, static_cast<size_t>(end - begin), rules.merge_slashes));
  return std::string_view(begin, size);
}

std::string_view join(std::string_view path, std::string_view query, bool has_query, Arena& arena) {
  if (!has_query) return path;
  // The common case: they are neighbours in the raw target already. Two texts in an arena can be
  // neighbours by chance, so the byte between them counts too.
  if (path.data() + path.size() + 1 == query.data() && query.data()[-1] == '?')
    return {path.data(), path.size() + 1 + query.size()};
  char* const text = arena.array<char>(path.size() + 1 + query.size());
  char* to = std::copy(path.begin(), path.end(), text);
  *to++ = '?';
  to = std::copy(query.begin(), query.end(), to);
  return {text, static_cast<size_t>(to - text)};
}

Result<Target> parse_origin(std::string_view raw, Target out, const PathRules& rules,
                            Arena& arena) {
  const size_t mark = raw.find('?');
  out.has_query = mark != std::string_view::npos;
  if (out.has_query) out.query = raw.substr(mark + 1);
  const std::string_view path = raw.substr(0, mark);
  out.path = path.empty() ? "/" : TRY_RETURN(normalise_path(path, rules, arena));
  out.forward = join(out.path, out.query, out.has_query, arena);
  return out;
}

Result<Target> parse_absolute(Method method, Bytes raw, const PathRules& rules, Arena& arena) {
  const size_t scheme_end = raw.find("://");
  if (scheme_end == Bytes::npos) return bad("the target is neither a path nor an absolute URI");
  const std::string_view scheme = raw.substr(0, scheme_end);
  if (!iequal(scheme, "http") && !iequal(scheme, "https"))
    return bad("the target's scheme is neither http nor https");
  const std::string_view rest = raw.substr(scheme_end + 3);
  const size_t end = rest.find_first_of("/?");
  Target out;
  out.form = Target::Form::absolute;
  out.https = iequal(scheme, "https");
  out.authority = rest.substr(0, end);
  if (!parse_authority(out.authority)) return bad("the target names no host");
  // The server as a whole is meant, for which a proxy has no other words (RFC 9112, section 3.2.4).
  if (method == Method::options && end == std::string_view::npos) {
    out.form = Target::Form::asterisk;
    out.path = out.forward = "*";
    return out;
  }
  return parse_origin(end == std::string_view::npos ? std::string_view{} : rest.substr(end), out,
                      rules, arena);
}

bool is_port(std::string_view port) {
  const auto number = parse_u64(port);
  return number && *number <= 65535 && port.size() <= 5;
}

bool is_ipv6_literal(std::string_view s) {
  if (s.size() < 4 || s.front() != '[' || s.back() != ']') return false;
  const auto address = parse_ip(s, 0);
  return address && s.find(':') != std::string_view::npos;
}

}  // namespace

Result<Target> parse_target(Method method, Bytes raw, const PathRules& rules, Arena& arena) {
  if (raw.find('#') != Bytes::npos) return bad("the target has a fragment");
  if (method == Method::connect) {
    const auto authority = parse_authority(raw);
    if (!authority || authority->port.empty()) return bad("CONNECT wants host:port");
    return Target{.form = Target::Form::authority, .authority = raw, .forward = raw};
  }
  if (raw == "*") {
    if (method != Method::options) return bad("only OPTIONS may ask about '*'");
    return Target{.form = Target::Form::asterisk, .path = raw, .forward = raw};
  }
  if (raw.starts_with('/')) return parse_origin(raw, Target{}, rules, arena);
  return parse_absolute(method, raw, rules, arena);
}

Target with_path(const Target& target, std::string_view path, Arena& arena) {
  Target out = target;
  out.path = path;
  out.forward = join(path, target.query, target.has_query, arena);
  return out;
}

std::optional<Authority> parse_authority(std::string_view text) {
  Authority out;
  size_t host_end = text.rfind(':');
  if (const size_t bracket = text.rfind(']'); bracket != std::string_view::npos)
    host_end = bracket + 1 < text.size() ? bracket + 1 : std::string_view::npos;
  out.host = text.substr(0, host_end);
  if (host_end != std::string_view::npos) {
    if (text[host_end] != ':') return std::nullopt;
    out.port = text.substr(host_end + 1);
    if (!out.port.empty() && !is_port(out.port)) return std::nullopt;
  }
  if (out.host.empty()) return std::nullopt;
  if (!is_ipv6_literal(out.host) && !all(out.host, host_char)) return std::nullopt;
  return out;
}

std::string_view lower_host(std::string_view authority, Arena& arena) {
  const auto parsed = parse_authority(authority);
  if (!parsed) return {};
  std::string_view host = parsed->host;
  if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
  const bool plain =
      std::none_of(host.begin(), host.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (plain) return host;
  char* const to = arena.array<char>(host.size());
  std::transform(host.begin(), host.end(), to, lower);
  return {to, host.size()};
}

}  // namespace banyan
