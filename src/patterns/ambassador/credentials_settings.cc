#include "patterns/ambassador/credentials_settings.h"

#include <algorithm>
#include <array>

#include "http/grammar.h"
#include "http/uri.h"
#include "upstream/locate.h"

namespace banyan {

using namespace std::chrono_literals;

namespace {

std::string header_fault(const std::string& name) {
  if (!is_token(name)) return "'" + printable(name) + "' is no name of a field";
  constexpr std::array<std::string_view, 5> framing = {"host", "content-length",
                                                       "transfer-encoding", "connection", "te"};
  std::string lowered(name);
  std::ranges::transform(lowered, lowered.begin(), lower);
  if (std::ranges::find(framing, lowered) != framing.end())
    return "'" + printable(name) + "' is Banyan's own; a credential has another field";
  return {};
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7f; });
}

std::string url_fault(const std::string& url) {
  if (split_token_url(url)) return {};
  return "'" + printable(url) + "' is no URL like https://idp.example/oauth/token";
}

void verify_oauth2(const OAuth2Settings& oauth2, const Node& node, const Reading& at) {
  if (oauth2.client_secret.text.empty()) at.error(node.place, "client_secret is empty");
  const auto url = split_token_url(oauth2.token_url);
  if (!url) return;
  const auto where = locate(url->endpoint);
  const bool near = where && where->kind == Location::Kind::fixed && is_loopback(where->address);
  if (url->endpoint.starts_with("http://") && !near)
    at.problems().warning(
        node.place, at.path() + ".token_url",
        "http:// shows the client's secret to everybody on the way; use https://");
}

void verify_credentials(const CredentialsSettings& c, const Node& node, const Reading& at) {
  if (c.value.has_value() == c.oauth2.has_value())
    at.error(node.place, "wants exactly one of value, oauth2");
  if (c.value && c.value->text.empty()) at.error(node.place, "value is empty");
  // A secret is never shown, so neither is what is wrong with it.
  if (c.value && !is_plain(c.value->text))
    at.error(node.place, "value has characters that a field cannot carry");
  if (!is_plain(c.prefix)) at.error(node.place, "prefix has characters that a field cannot carry");
  if (c.oauth2 && (node.find("prefix") != nullptr || node.find("header") != nullptr))
    at.error(node.place, "oauth2 has its own field (Authorization: Bearer)");
}

}  // namespace

std::span<const std::string_view> words_of(ClientAuth) {
  static constexpr std::array<std::string_view, 2> words = {"basic", "post"};
  return words;
}

bool operator==(const OAuth2Settings& a, const OAuth2Settings& b) {
  return a.token_url == b.token_url && a.client_id == b.client_id &&
         a.client_secret.text == b.client_secret.text && a.scope == b.scope &&
         a.audience == b.audience && a.auth == b.auth && a.tls == b.tls;
}

std::optional<TokenUrl> split_token_url(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return std::nullopt;
  const size_t slash = url.find('/', scheme + 3);
  TokenUrl out;
  out.endpoint = url.substr(0, slash);
  out.authority = out.endpoint.substr(scheme + 3);
  out.path = slash == std::string::npos ? "/" : url.substr(slash);
  const auto where = locate(out.endpoint);
  const bool plain = out.path.find_first_of("# ") == std::string::npos && is_plain(out.path);
  if (!where || where->tls == Location::Tls::unsaid || !plain) return std::nullopt;
  return out;
}

void declare(Fields<OAuth2Settings>& f) {
  f.about("oauth2",
          "Tokens of the OAuth2 client credentials grant: fetched when they are first needed, once "
          "for all workers, and renewed in the background before they end.");
  f.field("token_url", &OAuth2Settings::token_url, "Where tokens are given: https://host/path.",
          required, check(url_fault));
  f.field("client_id", &OAuth2Settings::client_id, "Who Banyan is there.", required);
  f.field("client_secret", &OAuth2Settings::client_secret, "Its secret, best as `{ file: path }`.",
          required);
  f.field("scope", &OAuth2Settings::scope, "What is asked for, with spaces between.");
  f.field("audience", &OAuth2Settings::audience, "For whom, where the server wants it.");
  f.field("auth", &OAuth2Settings::auth,
          "How the secret is given: `basic` (Authorization) or `post` (in the content).");
  f.field("timeout", &OAuth2Settings::timeout, "For one fetch.", between(10ms, 1min));
  f.field("tls", &OAuth2Settings::tls, "As that of a service, for https.");
  f.verify(verify_oauth2);
}

void declare(Fields<CredentialsSettings>& f) {
  f.about("credentials",
          "What the service wants to see and its callers do not have: each attempt gets it, "
          "whatever the caller sent in that field. Exactly one of `value`, `oauth2`.");
  f.field("header", &CredentialsSettings::header, "The field that carries `value`.",
          check(header_fault));
  f.field("value", &CredentialsSettings::value, "An API key, best as `{ file: path }`.");
  f.field("prefix", &CredentialsSettings::prefix, "In front of `value`: `\"Bearer \"`.");
  f.field("oauth2", &CredentialsSettings::oauth2, "A token that has to be fetched.");
  f.verify(verify_credentials);
}

}  // namespace banyan
