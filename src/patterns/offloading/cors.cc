#include "patterns/offloading/cors.h"

#include <algorithm>

#include "http/framing.h"
#include "http/grammar.h"
#include "http/uri.h"

namespace banyan {

namespace {

constexpr std::string_view own_fields[] = {"access-control-allow-origin",
                                           "access-control-allow-credentials",
                                           "access-control-allow-methods",
                                           "access-control-allow-headers",
                                           "access-control-max-age",
                                           "access-control-expose-headers",
                                           "access-control-allow-private-network"};

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

// "https://shop.example", "https://*.shop.example:8443", "null", "*".
std::string origin_fault(const std::string& origin) {
  if (origin == "*" || origin == "null") return {};
  const std::string text = "'" + printable(origin) + "' is no origin; write https://shop.example";
  const size_t scheme = origin.find("://");
  if (scheme == std::string::npos || scheme == 0) return text;
  std::string_view host = std::string_view(origin).substr(scheme + 3);
  if (host.starts_with("*.")) host.remove_prefix(2);
  const auto parsed = parse_authority(host);
  if (!parsed || std::ranges::any_of(origin, [](char c) { return c >= 'A' && c <= 'Z'; }))
    return text + ", in lower case and without a path";
  const bool standard = (origin.starts_with("https://") && parsed->port == "443") ||
                        (origin.starts_with("http://") && parsed->port == "80");
  if (standard) return text + ": browsers leave the standard port out";
  return {};
}

std::string token_fault(const std::string& text) {
  return is_token(text) || text == "*" ? std::string() : "'" + printable(text) + "' is no token";
}

template <class F>
void verify_each(const std::vector<std::string>& texts, F fault, const char* word, const Node& node,
                 const Reading& at) {
  for (const std::string& text : texts)
    if (const std::string what = fault(text); !what.empty())
      at.error(node.place, std::string(word) + ": " + what);
}

Task<Reply> give(Reply reply) { co_return reply; }

}  // namespace

void declare(Fields<CorsSettings>& f) {
  f.about("cors",
          "Which pages of other origins may use this one from a browser. Preflights are answered "
          "by the gateway; what services say of the matter is replaced.");
  f.field("origins", &CorsSettings::origins,
          "`https://shop.example`; `https://*.shop.example` is every host below it; `*` all; "
          "`null` has to be written to be allowed.",
          required);
  f.field("methods", &CorsSettings::methods,
          "That a page may use. Standard GET, HEAD, POST, PUT, PATCH, DELETE.");
  f.field("headers", &CorsSettings::headers,
          "Fields that a page may send, beside the harmless ones; `*`: any.");
  f.field("expose", &CorsSettings::expose, "Fields of answers that a page may read.");
  f.field("credentials", &CorsSettings::credentials,
          "With cookies and the like. Not together with the origin `*`.");
  f.field("max_age", &CorsSettings::max_age, "So long a browser remembers a preflight.",
          between(Nanoseconds(0), std::chrono::hours(24)));
  f.verify([](const CorsSettings& s, const Node& node, const Reading& at) {
    verify_each(s.origins, origin_fault, "origins", node, at);
    verify_each(s.methods, token_fault, "methods", node, at);
    verify_each(s.headers, token_fault, "headers", node, at);
    verify_each(s.expose, token_fault, "expose", node, at);
    const bool any = std::ranges::find(s.origins, "*") != s.origins.end();
    if (any && s.credentials)
      at.error(node.place,
               "credentials together with the origin `*`: every page could act for "
               "every user; name the origins");
  });
  f.shorthand("origins");
}

CorsPolicy::CorsPolicy(const CorsSettings& settings)
    : credentials_(settings.credentials),
      any_header_(std::ranges::find(settings.headers, "*") != settings.headers.end()),
      methods_(settings.methods.empty() ? "GET, HEAD, POST, PUT, PATCH, DELETE"
                                        : joined(settings.methods)),
      headers_(joined(settings.headers)),
      expose_(joined(settings.expose)),
      max_age_(std::to_string(
          std::chrono::duration_cast<std::chrono::seconds>(settings.max_age).count())) {
  for (const std::string& origin : settings.origins) {
    const size_t star = origin.find("://*.");
    if (origin == "*")
      any_ = true;
    else if (star != std::string::npos)
      wildcards_.emplace_back(origin.substr(0, star + 3), origin.substr(star + 4));
    else
      origins_.push_back(origin);
  }
}

bool CorsPolicy::allows_origin(std::string_view origin) const {
  if (any_ || std::ranges::find(origins_, origin) != origins_.end()) return true;
  return std::ranges::any_of(wildcards_, [&](const auto& around) {
    const auto& [scheme, suffix] = around;
    if (!origin.starts_with(scheme) || !origin.ends_with(suffix)) return false;
    if (origin.size() <= scheme.size() + suffix.size()) return false;
    return all(origin.substr(scheme.size(), origin.size() - scheme.size() - suffix.size()),
               unreserved_char);
  });
}

void CorsPolicy::tell(std::string_view origin, std::string_view asked_headers, bool preflight,
                      Headers& answer) const {
  Arena& arena = answer.arena();
  const bool wild = any_ && !credentials_;
  // Caches must not give one origin's answer to another.
  if (!wild && !lists(answer, Name::vary, "origin") && !lists(answer, Name::vary, "*"))
    answer.add(Name::vary, "Origin");
  if (origin.empty() || !allows_origin(origin)) return;
  answer.add("access-control-allow-origin", wild ? "*" : arena.copy(origin));
  if (credentials_) answer.add("access-control-allow-credentials", "true");
  if (!preflight) {
    if (!expose_.empty()) answer.add("access-control-expose-headers", expose_);
    return;
  }
  answer.add("access-control-allow-methods", methods_);
  const std::string_view headers = any_header_ ? arena.copy(asked_headers) : headers_;
  if (!headers.empty()) answer.add("access-control-allow-headers", headers);
  answer.add("access-control-max-age", max_age_);
}

void CorsEdit::edit(const Request& request, Headers& answer) const {
  // A preflight's answer is made by the filter, and says more.
  if (request.method == Method::options &&
      request.headers.find("access-control-request-method") != nullptr)
    return;
  for (const std::string_view name : own_fields) answer.remove(name);
  policy_->tell(request.headers.get(Name::origin), {}, false, answer);
}

Task<Reply> CorsFilter::call(Request& request) {
  const Headers& headers = request.headers;
  const bool preflight = request.method == Method::options && headers.has(Name::origin) &&
                         headers.find("access-control-request-method") != nullptr;
  if (!preflight) return next->call(request);
  // To an origin that is not allowed nothing is said, which a browser takes for a no.
  Response rsp = make_response(request, 204);
  policy_->tell(headers.get(Name::origin), headers.get("access-control-request-headers"), true,
                *rsp.headers);
  return give(std::move(rsp));
}

}  // namespace banyan
