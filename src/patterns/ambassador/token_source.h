// TokenSource: gives a worker's calls the token of a service, and fetches it when it is this
// worker's turn. Owner: the service's stack, and a fetch that is under way. Thread: its loop's.
// Lifetime: loop and nursery outlive it. A fetch is nobody's call: it goes on when the one who
// began it leaves. Sources: RFC 6749, sections 2.3.1, 4.4 and 5; RFC 6750 (Bearer).
#pragma once
#include "patterns/ambassador/token_store.h"
#include "service/service.h"
#include "task/nursery.h"

namespace banyan {

class TokenSource : public std::enable_shared_from_this<TokenSource> {
 public:
  // `server` is the stack of the service that gives tokens.
  TokenSource(const OAuth2Settings& settings, TokenStorePtr store, ServicePtr server, Loop& loop,
              Nursery& tasks)
      : settings_(settings),
        url_(split_token_url(settings.token_url).value_or(TokenUrl{})),
        store_(std::move(store)),
        server_(std::move(server)),
        loop_(loop),
        tasks_(tasks) {}

  // Waits when there is none that is good. Error: 502, it could not be fetched.
  Task<Result<TokenPtr>> get();
  void rejected(const TokenPtr& token) { store_->rejected(token); }

 private:
  void start_fetch();
  Task<> fetch();
  Task<Result<std::string>> ask();

  const OAuth2Settings settings_;
  const TokenUrl url_;
  const TokenStorePtr store_;
  const ServicePtr server_;
  Loop& loop_;
  Nursery& tasks_;
};

struct Grant {
  std::string token;
  Duration life = std::chrono::minutes(5);  // when the server does not say
};
// The content of a server's answer (RFC 6749, section 5.1). nullopt: it grants nothing that could
// be used.
std::optional<Grant> parse_grant(std::string_view json);
// The content of a question, without the secret unless it goes there.
std::string grant_request(const OAuth2Settings& settings);

}  // namespace banyan
