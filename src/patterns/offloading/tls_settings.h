// What the configuration says of TLS to clients. Owner: the model. Thread: any (read only). Words
// and meaning are told once, in tls_settings.cc; the manual comes from there.
#pragma once
#include "config/schema.h"

namespace banyan {

struct CertificateSettings {
  FileText cert, key;
  Place place{};
};

struct ListenerTlsSettings {
  std::vector<CertificateSettings> certificates;
  std::optional<FileText> client_ca;
  Place place{};
};

void declare(Fields<CertificateSettings>& f);
void declare(Fields<ListenerTlsSettings>& f);

}  // namespace banyan
