// What the configuration says of Gateway Routing: matches, rewrites, splits, redirects, answers.
// Owner: the model. Thread: any (read only).
// Words and meaning are told once, in settings.cc; the manual comes from there.
#pragma once
#include "config/schema.h"

namespace banyan {

// A condition on one header, query parameter or cookie. A scalar stands for `exact`.
struct TextMatch {
  std::optional<std::string> exact, prefix, regex;
  std::optional<bool> present;
};

// Every condition that is given must hold. An empty list or text: no condition.
struct MatchSettings {
  std::vector<std::string> host;  // "shop.example", "*.shop.example"; any of them
  std::string path;               // "/x", "/x/{id}", "/x/{rest...}"
  std::string path_regex;         // RE2, whole path; named groups are captures
  std::vector<std::string> methods;
  std::vector<Named<TextMatch>> headers, query, cookies;
  std::vector<Cidr> client_ip;
  Place place;
};

struct RouteSettings {
  std::string name;  // never empty in a model: made from the match when not given
  MatchSettings match;
  std::string rewrite;  // "/v2/{id}"; empty: the path stays
  Place place;
};

struct SplitSettings {
  std::vector<Named<uint32_t>> to;  // service name -> weight
  std::string cohort;               // "cookie:sid", "header:x-user", "ip"; empty: at random
  Place place;
};

struct RedirectSettings {
  std::string to;  // "/new/{id}", "https://host/..."
  uint16_t status = 302;
};

struct RespondSettings {
  uint16_t status = 200;
  std::string body;
  std::string content_type;  // empty: text/plain; charset=utf-8
};

void declare(Fields<TextMatch>& f);
void declare(Fields<MatchSettings>& f);
void declare(Fields<SplitSettings>& f);
void declare(Fields<RedirectSettings>& f);
void declare(Fields<RespondSettings>& f);

}  // namespace banyan
