#include "patterns/offloading/tls_settings.h"

namespace banyan {

void declare(Fields<CertificateSettings>& f) {
  f.about("certificate", "Who a listener is.");
  f.field("cert", &CertificateSettings::cert,
          "A file with the certificate and its chain (PEM), the certificate first.", required);
  f.field("key", &CertificateSettings::key, "A file with its private key (PEM), no password.",
          required);
}

void declare(Fields<ListenerTlsSettings>& f) {
  f.about("listener tls", "TLS 1.2 and 1.3 to clients, with HTTP/1.1 or HTTP/2 inside.");
  f.field("certificates", &ListenerTlsSettings::certificates,
          "One, or several: chosen by the name that the client asks for (SNI), the first for names "
          "that none has. Two for the same names with keys of different kinds (ECDSA, RSA) stand "
          "side by side.",
          required);
  f.field(
      "client_ca", &ListenerTlsSettings::client_ca,
      "A file of certificates (PEM): clients must have one that these have signed (mutual TLS).");
  f.verify([](const ListenerTlsSettings& s, const Node& node, const Reading& at) {
    if (s.certificates.empty()) at.error(node.place, "certificates is empty: it would be nobody");
  });
}

}  // namespace banyan
