#include "patterns/routing/settings.h"

namespace banyan {

namespace {

std::string redirect_status_fault(uint16_t status) {
  if ((status >= 301 && status <= 303) || status == 307 || status == 308) return {};
  return std::to_string(status) + " is no redirect with a Location; 301, 302, 303, 307 or 308";
}

}  // namespace

void declare(Fields<TextMatch>& f) {
  f.about("text match", "A condition on one header, query parameter or cookie.");
  f.field("exact", &TextMatch::exact, "The whole value.");
  f.field("prefix", &TextMatch::prefix, "How the value begins.");
  f.field("regex", &TextMatch::regex, "RE2 syntax, for the whole value.");
  f.field("present", &TextMatch::present, "`true`: it must be there; `false`: it must not.");
  f.shorthand("exact");
}

void declare(Fields<MatchSettings>& f) {
  f.about("match", "Which requests a route is for. Everything that is given must hold.");
  f.field("host", &MatchSettings::host,
          "`shop.example`, or `*.shop.example` for every name below it; any of a list.");
  f.field("path", &MatchSettings::path,
          "`/x` exactly, `/x/{id}` with one segment, `/x/{name}.json` with a part of one, "
          "`/x/{rest...}` with all that follows (`/x` and `/x/` too).");
  f.field("path_regex", &MatchSettings::path_regex,
          "RE2 syntax, for the whole path in its normal form; named groups `(?P<id>...)` are "
          "captures.");
  f.field("methods", &MatchSettings::methods, "Any of them; GET does not include HEAD.");
  f.field("headers", &MatchSettings::headers,
          "By name; when one comes several times, any of them may fit.");
  f.field("query", &MatchSettings::query, "By name, decoded; the first of a name counts.");
  f.field("cookies", &MatchSettings::cookies, "By name; the first of a name counts.");
  f.field("client_ip", &MatchSettings::client_ip, "Networks; any of them.");
}

void declare(Fields<SplitSettings>& f) {
  f.about("split",
          "Shares requests between services by weight. With `cohort` a user stays where it is: "
          "raising a weight only adds users to that side, nobody flips back.");
  f.field("to", &SplitSettings::to, "Service names and their weights.", required);
  f.field("cohort", &SplitSettings::cohort,
          "What tells users apart: `cookie:NAME`, `header:NAME`, or `ip`. A request without it is "
          "shared at random.");
}

void declare(Fields<RedirectSettings>& f) {
  f.about("redirect", "Sends the client elsewhere.");
  f.field("to", &RedirectSettings::to,
          "A path or a URL, with captures: `/new/{id}`. The query is kept unless `to` has one.",
          required);
  f.field("status", &RedirectSettings::status, "301, 302, 303, 307 or 308.",
          check(redirect_status_fault));
  f.shorthand("to");
}

void declare(Fields<RespondSettings>& f) {
  f.about("respond", "A fixed answer.");
  f.field("status", &RespondSettings::status, "200 to 599.", between<uint16_t>(200, 599));
  f.field("body", &RespondSettings::body, "The content.");
  f.field("content_type", &RespondSettings::content_type, "Standard `text/plain; charset=utf-8`.");
}

}  // namespace banyan
