#include "patterns/ambassador/token_store.h"

#include <algorithm>

namespace banyan {

TokenStore::View TokenStore::look(Time now) {
  const std::lock_guard lock(mutex_);
  if (token_ != nullptr && now >= good_until_) token_ = nullptr;
  const bool wanted = token_ == nullptr || now >= renew_at_;
  const bool fetch = wanted && !fetching_ && now >= again_at_;
  if (fetch) fetching_ = true;
  return {token_, fetch, fetching_, why_};
}

void TokenStore::wait(std::shared_ptr<Signal> signal) {
  const std::lock_guard lock(mutex_);
  if (fetching_)
    waiting_.push_back(std::move(signal));
  else
    signal->event.set();  // it has ended meanwhile; this is its loop
}

// Under the lock. On another loop's thread only a message may touch its waiters.
void TokenStore::end_fetch(Loop& from) {
  fetching_ = false;
  for (auto& signal : std::exchange(waiting_, {})) {
    if (&signal->loop == &from) {
      signal->event.set();
      continue;
    }
    Loop& loop = signal->loop;
    loop.send([s = std::move(signal)] { s->event.set(); });
  }
}

void TokenStore::granted(std::string token, Duration life, Loop& from) {
  const std::lock_guard lock(mutex_);
  life = std::clamp<Duration>(life, std::chrono::seconds(1), life_max);
  // Its last part is for calls that are on their way when it ends.
  const Duration last = std::min<Duration>(life / 10, std::chrono::seconds(30));
  token_ = std::make_shared<const std::string>(std::move(token));
  good_until_ = after(from.now(), life - last);
  renew_at_ = after(from.now(), life / 4 * 3);
  again_at_ = {};
  failures_ = 0;
  ++counts_.fetched;
  end_fetch(from);
}

void TokenStore::failed(const char* why, Loop& from) {
  const std::lock_guard lock(mutex_);
  why_ = why;
  const Duration pause = std::min(again_min * (1u << std::min(failures_++, 5u)), again_max);
  again_at_ = after(from.now(), pause);
  ++counts_.failed;
  end_fetch(from);
}

void TokenStore::given_up(Loop& from) {
  const std::lock_guard lock(mutex_);
  end_fetch(from);
}

void TokenStore::rejected(const TokenPtr& token) {
  const std::lock_guard lock(mutex_);
  if (token_ != token) return;
  token_ = nullptr;
  ++counts_.rejected;
}

TokenStore::Counts TokenStore::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

TokenStorePtr TokenStores::of(const std::string& service, const OAuth2Settings& settings) {
  const std::lock_guard lock(mutex_);
  Kept& kept = all_[service];
  if (kept.store == nullptr || !(kept.settings == settings))
    kept = {settings, std::make_shared<TokenStore>()};
  return kept.store;
}

std::map<std::string, TokenStore::Counts> TokenStores::counts() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, TokenStore::Counts> out;
  for (const auto& [name, kept] : all_) out.emplace(name, kept.store->counts());
  return out;
}

}  // namespace banyan
