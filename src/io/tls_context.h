// TlsContext: what one side of TLS connections is told once: whom it trusts, who it is, which
// protocols it speaks. Owner: shared by the configuration and all connections made with it. Thread:
// any; it never changes. TLS 1.2 and 1.3; no renegotiation, no compression. Keys and certificates
// are PEM texts. Sources: RFC 8446, RFC 5246, RFC 7301 (ALPN), RFC 9525 (names).
#pragma once
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <vector>

struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;

namespace banyan {

class TlsContext {
 public:
  using Made = std::expected<std::shared_ptr<const TlsContext>, std::string>;

  struct Client {
    std::string ca;         // certificates that are trusted; empty: those of the system
    std::string cert, key;  // who we are, with the chain; empty: nobody
    bool verify = true;     // false: whoever answers is taken for the right one
    std::vector<std::string> protocols;  // ALPN; empty: it is not asked
  };
  static Made client(const Client& options);

  struct Identity {
    std::string cert, key;  // the certificate first, then its chain
  };
  struct Server {
    // Chosen by the name that the client asks for; the first for names that none has.
    std::vector<Identity> identities;
    std::string client_ca;  // clients must have a certificate of one of these; empty: none is asked
    std::vector<std::string> protocols;
  };
  // An error says which of the identities is meant.
  static Made server(const Server& options);

  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

  ssl_ctx_st* get() const { return context_; }
  const std::vector<std::string>& protocols() const { return protocols_; }
  bool verifies() const { return verify_; }

 private:
  TlsContext();
  std::string set_identity(const std::string& cert, const std::string& key);
  std::string set_trust(const std::string& ca);
  void accept_clients(const std::string& client_ca, const std::vector<std::string>& protocols);
  static int choose_identity(ssl_st* ssl, int* alert, void* self);
  static int choose_protocol(ssl_st*, const unsigned char** chosen, unsigned char* size,
                             const unsigned char* offered, unsigned offered_size, void* self);

  ssl_ctx_st* context_ = nullptr;
  std::vector<std::string> protocols_;
  bool verify_ = true;
  // Of the first of a server's: its names and those of the others, in lower case; "*.example" too.
  std::map<std::string, TlsContext*, std::less<>> by_name_;
  std::vector<std::unique_ptr<TlsContext>> others_;
};

// Sessions that a server gave us, for a shorter handshake with the same server. Owner: shared by
// its connections. Thread: its loop's. Bound: `most`, newest first; each is used once, so that
// nobody can tell that two connections come from the same client (RFC 8446, section C.4).
class TlsSessions {
 public:
  static constexpr size_t most = 4;
  TlsSessions() = default;
  TlsSessions(const TlsSessions&) = delete;
  TlsSessions& operator=(const TlsSessions&) = delete;
  ~TlsSessions();
  // Takes it over.
  void put(ssl_session_st* session);
  // Gives it away; null: there is none that may be used.
  ssl_session_st* take();
  size_t size() const { return all_.size(); }

 private:
  std::vector<ssl_session_st*> all_;
};

}  // namespace banyan
