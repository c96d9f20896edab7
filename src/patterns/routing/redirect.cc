#include "patterns/routing/redirect.h"

#include <algorithm>

#include "http/grammar.h"

namespace banyan {

namespace {

bool is_redirect(uint16_t status) {
  return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

// Cuts "https://host" off the front of `text`; empty when it begins with a path.
OrMessage<std::string> take_origin(std::string_view& text) {
  if (text.starts_with('/')) return std::string{};
  const size_t scheme_end = text.find("://");
  const std::string_view scheme = text.substr(0, scheme_end);
  if (scheme_end == std::string_view::npos || !(iequal(scheme, "http") || iequal(scheme, "https")))
    return std::unexpected("wants a path (/...) or a URL (http://... or https://...)");
  const size_t end = std::min(text.find_first_of("/?", scheme_end + 3), text.size());
  const std::string_view authority = text.substr(scheme_end + 3, end - scheme_end - 3);
  if (authority.find_first_of("{}") != std::string_view::npos)
    return std::unexpected("the host has a capture; a client would choose where others are sent");
  if (!parse_authority(authority)) return std::unexpected("the URL names no host");
  std::string origin(text.substr(0, end));
  text.remove_prefix(end);
  return origin;
}

OrMessage<std::string> take_fragment(std::string_view& text) {
  const size_t mark = std::min(text.find('#'), text.size());
  std::string fragment(text.substr(mark));
  text = text.substr(0, mark);
  const auto plain = [](char c) { return is(c, target_char) && c != '{' && c != '}'; };
  if (!std::all_of(fragment.begin(), fragment.end(), plain))
    return std::unexpected("the fragment wants plain text, with percent escapes");
  return fragment;
}

Task<Reply> give(Reply reply) { co_return reply; }

}  // namespace

std::optional<RedirectRule> RedirectRule::compile(
    const RedirectSettings& settings, std::optional<std::span<const std::string>> captures,
    const Place& place, Problems& problems) {
  const auto wrong = [&](const std::string& message) {
    problems.error(place, "redirect.to", "'" + printable(settings.to) + "': " + message);
    return std::nullopt;
  };
  if (!is_redirect(settings.status)) {
    problems.error(place, "redirect.status",
                   std::to_string(settings.status) + " is none of 301, 302, 303, 307, 308");
    return std::nullopt;
  }
  std::string_view text = settings.to;
  auto fragment = take_fragment(text);
  if (!fragment) return wrong(fragment.error());
  auto origin = take_origin(text);
  if (!origin) return wrong(origin.error());
  const std::string target = text.starts_with('/') ? std::string(text) : "/" + std::string(text);
  auto parsed = Template::parse(target, captures);
  if (!parsed) return wrong(parsed.error());
  RedirectRule rule(std::move(*parsed), settings.status);
  rule.origin_ = std::move(*origin);
  rule.fragment_ = std::move(*fragment);
  return rule;
}

Result<std::string_view> RedirectRule::location(const Request& request) const {
  Arena& arena = request.arena;
  const std::string_view path = TRY_RETURN(target_.path(request.captures, arena));
  const std::string_view query =
      target_.has_query() ? target_.query(request.captures, arena) : request.target.query;
  const std::string_view parts[] = {origin_, path, query.empty() ? "" : "?", query, fragment_};
  size_t bytes = 0;
  for (std::string_view part : parts) bytes += part.size();
  char* const begin = arena.array<char>(bytes);
  char* to = begin;
  for (std::string_view part : parts) to = std::copy(part.begin(), part.end(), to);
  return std::string_view(begin, bytes);
}

Task<Reply> Redirect::call(Request& request) {
  auto location = rule_.location(request);
  if (!location) return give(std::unexpected(location.error()));
  Response rsp = make_response(request, rule_.status());
  rsp.headers->add(Name::location, *location);
  return give(std::move(rsp));
}

}  // namespace banyan
