// What the configuration says of TLS to an upstream service. Owner: the model. Thread: any (read
// only). Words and meaning are told once, in tls_settings.cc; the manual comes from there.
#pragma once
#include "config/schema.h"
#include "io/tls_context.h"
#include "upstream/settings.h"

namespace banyan {

struct UpstreamTlsSettings {
  std::optional<FileText> ca;
  std::optional<FileText> client_cert, client_key;
  std::string server_name;
  bool verify = true;
  Place place{};
  friend bool operator==(const UpstreamTlsSettings& a, const UpstreamTlsSettings& b) {
    return a.ca == b.ca && a.client_cert == b.client_cert && a.client_key == b.client_key &&
           a.server_name == b.server_name && a.verify == b.verify;
  }
};

void declare(Fields<UpstreamTlsSettings>& f);

// Whether the service is spoken to with TLS: `tls` is given, or an endpoint is https://.
bool wants_tls(std::span<const EndpointSettings> endpoints,
               const std::optional<UpstreamTlsSettings>& tls);
// What is wrong with it is told. Null then.
std::shared_ptr<const TlsContext> compile_tls(std::span<const EndpointSettings> endpoints,
                                              const std::optional<UpstreamTlsSettings>& tls,
                                              bool http2, const std::string& path,
                                              Problems& problems);

}  // namespace banyan
