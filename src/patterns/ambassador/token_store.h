// TokenStore: the token of one service, for all workers: who fetches it, until when it is good, and
// who waits for it. TokenStores keeps one for each service, over reloads. Owner: the process;
// shared with those that use it. Thread: any; who waits is woken on its own loop. One fetch at a
// time, however many wait. A token is renewed when three quarters of its life are over; what could
// not be fetched is tried again after 1 s, doubling to 30 s. Bound: one token; waiters are calls,
// which have bounds of their own.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "patterns/ambassador/credentials_settings.h"
#include "task/loop.h"
#include "task/sync.h"

namespace banyan {

using TokenPtr = std::shared_ptr<const std::string>;

class TokenStore {
 public:
  static constexpr Duration again_min = std::chrono::seconds(1);
  static constexpr Duration again_max = std::chrono::seconds(30);
  static constexpr Duration life_max = std::chrono::hours(24 * 7);

  // Of one call that waits, on its loop.
  struct Signal {
    explicit Signal(Loop& its) : loop(its) {}
    Loop& loop;
    Event event;
  };
  struct View {
    TokenPtr token;  // null: none that is good
    bool fetch =
        false;  // the caller is the one who has to fetch it, and tell granted() or failed()
    bool awaited = false;  // a fetch is under way, or about to be
    const char* why = "";  // the last fetch failed
  };
  View look(Time now);
  // Set when the fetch that is under way has ended, whatever came of it.
  void wait(std::shared_ptr<Signal> signal);

  void granted(std::string token, Duration life, Loop& from);
  void failed(const char* why, Loop& from);
  // Called off: whoever wants one may fetch it at once.
  void given_up(Loop& from);
  // The service did not take it, though its life is not over. A newer one stays.
  void rejected(const TokenPtr& token);

  struct Counts {
    uint64_t fetched = 0, failed = 0, rejected = 0;
  };
  Counts counts() const;

 private:
  void end_fetch(Loop& from);

  mutable std::mutex mutex_;
  TokenPtr token_;
  Time good_until_{}, renew_at_{}, again_at_{};
  uint32_t failures_ = 0;  // in a row
  bool fetching_ = false;
  const char* why_ = "no token was fetched yet";
  std::vector<std::shared_ptr<Signal>> waiting_;
  Counts counts_;
};
using TokenStorePtr = std::shared_ptr<TokenStore>;

class TokenStores {
 public:
  // A new one when the settings are others than those of the last that asked.
  TokenStorePtr of(const std::string& service, const OAuth2Settings& settings);
  std::map<std::string, TokenStore::Counts> counts() const;

 private:
  struct Kept {
    OAuth2Settings settings;
    TokenStorePtr store;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Kept> all_;
};

}  // namespace banyan
