#include "io/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "io/tls_stream.h"

namespace banyan {

namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeX509 {
  void operator()(X509* one) const { X509_free(one); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using BioPtr = std::unique_ptr<BIO, FreeBio>;
using X509Ptr = std::unique_ptr<X509, FreeX509>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;

BioPtr reader(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Nobody is there to be asked.
int no_password(char*, int, int, void*) { return -1; }

std::vector<X509Ptr> certificates(const std::string& pem) {
  std::vector<X509Ptr> out;
  const BioPtr from = reader(pem);
  while (X509* one = PEM_read_bio_X509_AUX(from.get(), nullptr, no_password, nullptr))
    out.emplace_back(one);
  ERR_clear_error();  // the end of the text counts as one
  return out;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

// The names of the first certificate, in lower case (RFC 9525: no common name).
std::vector<std::string> names_of(const std::string& pem) {
  std::vector<std::string> out;
  const auto chain = certificates(pem);
  if (chain.empty()) return out;
  auto* const all = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(chain.front().get(), NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; all != nullptr && i < sk_GENERAL_NAME_num(all); ++i) {
    const GENERAL_NAME* const one = sk_GENERAL_NAME_value(all, i);
    if (one->type != GEN_DNS) continue;
    const auto* const bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(one->d.dNSName));
    out.push_back(lowered({bytes, static_cast<size_t>(ASN1_STRING_length(one->d.dNSName))}));
  }
  GENERAL_NAMES_free(all);
  return out;
}

std::string to_wire(const std::vector<std::string>& protocols) {
  std::string out;
  for (const std::string& one : protocols) out += static_cast<char>(one.size()) + one;
  return out;
}

}  // namespace

TlsContext::TlsContext() : context_(SSL_CTX_new(TLS_method())) {
  CHECK(context_ != nullptr);
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_options(
      context_, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // An idle connection holds no buffers.
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context_, 1);
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

std::string TlsContext::set_identity(const std::string& cert, const std::string& key) {
  const auto chain = certificates(cert);
  if (chain.empty()) return "the certificate's file holds no certificate in PEM form";
  const BioPtr from = reader(key);
  const KeyPtr secret(PEM_read_bio_PrivateKey(from.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (secret == nullptr)
    return "the key's file holds no private key in PEM form (one with a password cannot be used)";
  if (SSL_CTX_use_certificate(context_, chain.front().get()) != 1) {
    ERR_clear_error();
    return "the certificate is too weak, or of an unknown kind";
  }
  for (size_t i = 1; i < chain.size(); ++i) SSL_CTX_add1_chain_cert(context_, chain[i].get());
  if (SSL_CTX_use_PrivateKey(context_, secret.get()) != 1) {
    ERR_clear_error();
    return "the key is not that of the certificate";
  }
  return {};
}

std::string TlsContext::set_trust(const std::string& ca) {
  const auto trusted = certificates(ca);
  if (trusted.empty()) return "the file of trusted certificates holds none in PEM form";
  X509_STORE* const store = SSL_CTX_get_cert_store(context_);
  for (const X509Ptr& one : trusted) X509_STORE_add_cert(store, one.get());
  // Whom the operator names is trusted, also when it is no root.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  ERR_clear_error();
  return {};
}

TlsContext::Made TlsContext::client(const Client& options) {
  std::shared_ptr<TlsContext> out(new TlsContext);
  out->protocols_ = options.protocols;
  out->verify_ = options.verify;
  std::string fault;
  if (!options.ca.empty())
    fault = out->set_trust(options.ca);
  else
    SSL_CTX_set_default_verify_paths(out->context_);
  if (fault.empty() && !options.cert.empty()) fault = out->set_identity(options.cert, options.key);
  if (!fault.empty()) return std::unexpected(std::move(fault));
  SSL_CTX_set_verify(out->context_, options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  const std::string offered = to_wire(options.protocols);
  if (!offered.empty())
    SSL_CTX_set_alpn_protos(out->context_, reinterpret_cast<const unsigned char*>(offered.data()),
                            static_cast<unsigned>(offered.size()));
  // Sessions are kept by TlsSessions alone.
  SSL_CTX_set_session_cache_mode(out->context_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(out->context_, &TlsStream::keep_session);
  return out;
}

void TlsContext::accept_clients(const std::string& client_ca,
                                const std::vector<std::string>& protocols) {
  protocols_ = protocols;
  if (!client_ca.empty()) {
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    for (const X509Ptr& one : certificates(client_ca)) SSL_CTX_add_client_CA(context_, one.get());
  }
  // Sessions are in tickets, sealed with a key of this process.
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  static constexpr unsigned char whose[] = "banyan";
  SSL_CTX_set_session_id_context(context_, whose, sizeof whose - 1);
  if (!protocols.empty()) SSL_CTX_set_alpn_select_cb(context_, &TlsContext::choose_protocol, this);
}

TlsContext::Made TlsContext::server(const Server& options) {
  std::shared_ptr<TlsContext> out(new TlsContext);
  for (size_t i = 0; i < options.identities.size(); ++i) {
    const Identity& identity = options.identities[i];
    const auto names = names_of(identity.cert);
    // With the same names but another kind of key it stands beside the one that is there.
    const auto same = std::ranges::find_if(
        names, [&](const std::string& name) { return out->by_name_.contains(name); });
    TlsContext* mine = out.get();
    if (i != 0 && same != names.end())
      mine = out->by_name_.find(*same)->second;
    else if (i != 0)
      mine = out->others_.emplace_back(new TlsContext).get();
    std::string fault = mine->set_identity(identity.cert, identity.key);
    if (fault.empty() && !options.client_ca.empty()) fault = mine->set_trust(options.client_ca);
    if (!fault.empty()) return std::unexpected("certificates[" + std::to_string(i) + "]: " + fault);
    mine->accept_clients(options.client_ca, options.protocols);
    for (const std::string& name : names) out->by_name_.emplace(name, mine);
  }
  if (!out->others_.empty()) {
    SSL_CTX_set_tlsext_servername_callback(out->context_, &TlsContext::choose_identity);
    SSL_CTX_set_tlsext_servername_arg(out->context_, out.get());
  }
  return out;
}

int TlsContext::choose_identity(ssl_st* ssl, int*, void* self) {
  const char* const asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (asked == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const auto& all = static_cast<TlsContext*>(self)->by_name_;
  const std::string name = lowered(asked);
  auto found = all.find(name);
  const size_t dot = name.find('.');
  if (found == all.end() && dot != std::string::npos) found = all.find("*" + name.substr(dot));
  if (found == all.end()) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_SSL_CTX(ssl, found->second->context_);
  return SSL_TLSEXT_ERR_OK;
}

// Ours come in the order of our liking. A client that offers none of them is refused (RFC 7301,
// section 3.2).
int TlsContext::choose_protocol(ssl_st*, const unsigned char** chosen, unsigned char* size,
                                const unsigned char* offered, unsigned offered_size, void* self) {
  for (const std::string& mine : static_cast<TlsContext*>(self)->protocols_)
    for (unsigned at = 0; at < offered_size; at += 1u + offered[at]) {
      if (at + 1 + offered[at] > offered_size) break;
      const std::string_view theirs(reinterpret_cast<const char*>(offered) + at + 1, offered[at]);
      if (theirs != mine) continue;
      *chosen = offered + at + 1;
      *size = offered[at];
      return SSL_TLSEXT_ERR_OK;
    }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

TlsSessions::~TlsSessions() {
  for (ssl_session_st* session : all_) SSL_SESSION_free(session);
}

void TlsSessions::put(ssl_session_st* session) {
  if (all_.size() == most) {
    SSL_SESSION_free(all_.front());
    all_.erase(all_.begin());
  }
  all_.push_back(session);
}

ssl_session_st* TlsSessions::take() {
  while (!all_.empty()) {
    ssl_session_st* const newest = all_.back();
    all_.pop_back();
    if (SSL_SESSION_is_resumable(newest) == 1) return newest;
    SSL_SESSION_free(newest);
  }
  return nullptr;
}

}  // namespace banyan
