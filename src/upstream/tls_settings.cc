#include "upstream/tls_settings.h"

#include <algorithm>

#include "upstream/locate.h"

namespace banyan {

namespace {

void verify_tls(const UpstreamTlsSettings& tls, const Node& node, const Reading& at) {
  if (tls.client_cert.has_value() != tls.client_key.has_value())
    at.error(node.place, "client_cert and client_key go together");
  if (!tls.verify && tls.ca) at.error(node.place, "ca without verify: nobody is looked up in it");
  if (!tls.verify)
    at.problems().warning(
        node.place, at.path() + ".verify",
        "whoever answers is believed to be the service: everything sent to it can "
        "be read and changed on the way");
}

// What the URL of an endpoint says against it.
std::string endpoint_fault(const Location& where, const UpstreamTlsSettings& tls) {
  if (where.tls == Location::Tls::never)
    return "is without TLS, but the service has it; write https://";
  if (where.tls_name.empty() && tls.server_name.empty() && tls.verify)
    return "names nobody whom a certificate could be of; give tls: { server_name: ... }";
  return {};
}

}  // namespace

void declare(Fields<UpstreamTlsSettings>& f) {
  f.about(
      "tls",
      "How a service is spoken to with TLS (1.2 or 1.3): for all of its endpoints, `https://` or "
      "not. `tls: {}` says no more than that.");
  f.field("ca", &UpstreamTlsSettings::ca,
          "A file of certificates (PEM) that are trusted, and no others. Standard: those that the "
          "system trusts.");
  f.field("client_cert", &UpstreamTlsSettings::client_cert,
          "A file with our own certificate and its chain (PEM), for services that ask for one.");
  f.field("client_key", &UpstreamTlsSettings::client_key,
          "A file with its private key (PEM), without a password.");
  f.field("server_name", &UpstreamTlsSettings::server_name,
          "The name that the service is told (SNI) and that its certificate must have. Standard: "
          "the host of each endpoint.");
  f.field("verify", &UpstreamTlsSettings::verify,
          "`false` believes whoever answers. For tests alone; `check` warns.");
  f.verify(verify_tls);
}

bool wants_tls(std::span<const EndpointSettings> endpoints,
               const std::optional<UpstreamTlsSettings>& tls) {
  return tls || std::ranges::any_of(endpoints, [](const EndpointSettings& e) {
           const auto where = locate(e.url);
           return where && where->tls == Location::Tls::always;
         });
}

std::shared_ptr<const TlsContext> compile_tls(std::span<const EndpointSettings> endpoints,
                                              const std::optional<UpstreamTlsSettings>& tls,
                                              bool http2, const std::string& path,
                                              Problems& problems) {
  if (!wants_tls(endpoints, tls)) return nullptr;
  const UpstreamTlsSettings settings = tls.value_or(UpstreamTlsSettings{});
  bool http = true;
  for (const EndpointSettings& endpoint : endpoints) {
    const auto where = locate(endpoint.url);
    if (!where) continue;  // told by the reader
    http = http && where->http;
    if (const std::string fault = endpoint_fault(*where, settings); !fault.empty())
      problems.error(endpoint.place, path + ".endpoints", printable(endpoint.url) + " " + fault);
  }
  const auto text = [](const std::optional<FileText>& file) { return file ? file->text : ""; };
  TlsContext::Client options{.ca = text(settings.ca),
                             .cert = text(settings.client_cert),
                             .key = text(settings.client_key),
                             .verify = settings.verify,
                             .protocols = {}};
  if (http && http2) options.protocols.push_back("h2");
  if (http) options.protocols.push_back("http/1.1");
  auto made = TlsContext::client(options);
  if (made) return std::move(*made);
  problems.error(settings.place, path + ".tls", made.error());
  return nullptr;
}

}  // namespace banyan
