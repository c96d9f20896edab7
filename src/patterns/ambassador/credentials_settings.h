// What the configuration says of the credentials that a service wants and its callers do not have.
// Owner: the model. Thread: any (read only). Words and meaning are told once, in the .cc; the
// manual comes from there.
#pragma once
#include "config/schema.h"
#include "upstream/tls_settings.h"

namespace banyan {

enum class ClientAuth : uint8_t { basic, post };  // how we prove who we are to the token's server
std::span<const std::string_view> words_of(ClientAuth);

// The client credentials grant (RFC 6749, section 4.4).
struct OAuth2Settings {
  std::string token_url;
  std::string client_id;
  Secret client_secret;
  std::string scope;
  std::string audience;
  ClientAuth auth = ClientAuth::basic;
  Nanoseconds timeout = std::chrono::seconds(5);
  std::optional<UpstreamTlsSettings> tls;
  Place place{};
  // Whether the same tokens serve both.
  friend bool operator==(const OAuth2Settings& a, const OAuth2Settings& b);
};

struct CredentialsSettings {
  std::string header = "authorization";
  std::optional<Secret> value;
  std::string prefix;
  std::optional<OAuth2Settings> oauth2;
  Place place{};
};

void declare(Fields<OAuth2Settings>& f);
void declare(Fields<CredentialsSettings>& f);

// The parts of a token_url that was read without a fault.
struct TokenUrl {
  std::string endpoint;   // "https://idp.example:443"
  std::string authority;  // "idp.example"
  std::string path;       // "/oauth/token?x=y"
};
std::optional<TokenUrl> split_token_url(const std::string& url);

}  // namespace banyan
