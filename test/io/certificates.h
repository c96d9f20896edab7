// Certificates for tests, made on the spot: an authority, and what it signs. Header only.
#pragma once
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <string>

#include "base/check.h"

namespace banyan {

struct Identity {
  std::string cert, key;  // PEM
};

class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& name = "test authority") : key_(make_key()) {
    certificate_ = sign(name, key_, {}, -day, 365 * day, true);
    identity_ = {pem(certificate_), pem(key_)};
  }
  CertificateAuthority(const CertificateAuthority&) = delete;
  CertificateAuthority& operator=(const CertificateAuthority&) = delete;
  ~CertificateAuthority() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }

  const std::string& cert() const { return identity_.cert; }
  // `names`: "DNS:shop.example,IP:10.0.0.1"; seconds from now.
  Identity issue(const std::string& names, long from = -day, long until = 30 * day) const {
    EVP_PKEY* const key = make_key();
    X509* const made = sign("leaf", key, names, from, until, false);
    Identity out{pem(made), pem(key)};
    X509_free(made);
    EVP_PKEY_free(key);
    return out;
  }

 private:
  static constexpr long day = 24 * 60 * 60;

  static EVP_PKEY* make_key() {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    CHECK(key != nullptr);
    return key;
  }
  template <class Write>
  static std::string text(Write write) {
    BIO* const bio = BIO_new(BIO_s_mem());
    write(bio);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string out(data, static_cast<size_t>(size));
    BIO_free(bio);
    return out;
  }
  static std::string pem(X509* one) {
    return text([&](BIO* bio) { PEM_write_bio_X509(bio, one); });
  }
  static std::string pem(EVP_PKEY* key) {
    return text([&](BIO* bio) {
      PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  static void extend(X509* one, X509V3_CTX& context, int what, const std::string& value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
    CHECK(extension != nullptr);
    X509_add_ext(one, extension, -1);
    X509_EXTENSION_free(extension);
  }

  X509* sign(const std::string& name, EVP_PKEY* key, const std::string& names, long from,
             long until, bool authority) const {
    X509* const one = X509_new();
    X509_set_version(one, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(one), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(one), from);
    X509_gmtime_adj(X509_getm_notAfter(one), until);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(one), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(one, certificate_ != nullptr ? X509_get_subject_name(certificate_)
                                                      : X509_get_subject_name(one));
    X509_set_pubkey(one, key);
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate_ != nullptr ? certificate_ : one, one, nullptr, nullptr,
                   0);
    extend(one, context, NID_basic_constraints, authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (!names.empty()) extend(one, context, NID_subject_alt_name, names);
    CHECK(X509_sign(one, key_, EVP_sha256()) != 0);
    return one;
  }

  EVP_PKEY* const key_;
  X509* certificate_ = nullptr;
  Identity identity_;
  static inline long serial_ = 0;
};

}  // namespace banyan
