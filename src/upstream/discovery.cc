#include "upstream/discovery.h"

#include <algorithm>

#include "task/combine.h"

namespace banyan {

namespace {

constexpr Duration again_min = std::chrono::seconds(1);
constexpr Duration again_max = std::chrono::seconds(30);
constexpr int64_t jitter_part = 10;

// Entries come sorted by priority: the first ones are those to use.
std::span<const Resolved::Entry> most_wanted(const std::vector<Resolved::Entry>& entries) {
  const auto other = std::ranges::find_if(
      entries, [&](const auto& e) { return e.priority != entries.front().priority; });
  return {entries.begin(), other};
}

}  // namespace

Discovery::Discovery(Context& context, Resolver& resolver, Cluster& cluster,
                     std::vector<Source> sources, Admits admits)
    : loop_(context.loop),
      resolver_(resolver),
      cluster_(cluster),
      admits_(std::move(admits)),
      nursery_(context) {
  followed_.reserve(sources.size());
  for (Source& source : sources) {
    Followed& followed = followed_.emplace_back();
    followed.source = std::move(source);
    if (followed.source.where.kind == Location::Kind::fixed)
      followed.entries.push_back({.address = followed.source.where.address});
    else
      ++unasked_;
  }
  if (unasked_ == 0) all_asked_.set();
}

void Discovery::start() {
  publish();
  for (Followed& f : followed_)
    if (f.source.where.kind != Location::Kind::fixed)
      nursery_.start([this, &f] { return follow(f); });
}

Task<> Discovery::ready(Duration at_most) { (void)co_await within{at_most, wait_for_all()}; }

Task<> Discovery::stop() {
  nursery_.cancel();
  co_await nursery_.join();
}

Task<Result<>> Discovery::wait_for_all() { co_return co_await all_asked_.wait(); }

Task<> Discovery::follow(Followed& followed) {
  Context& context = co_await current_context();
  for (;;) {
    const auto answer = co_await ask(followed.source.where);
    if (context.cancel.requested()) co_return;
    const Duration pause = note(followed, answer);
    publish();
    if (!std::exchange(followed.asked, true) && --unasked_ == 0) all_asked_.set();
    if (!co_await sleep_for(jittered(pause))) co_return;
  }
}

Task<Result<Resolved>> Discovery::ask(const Location& where) {
  if (where.kind == Location::Kind::service) co_return co_await resolver_.services(where.host);
  co_return co_await resolver_.addresses(where.host, where.port);
}

Duration Discovery::note(Followed& followed, const Result<Resolved>& answer) {
  if (answer) {
    followed.entries = answer->entries;
    followed.failure.reset();
    followed.failures = 0;
    return answer->ttl;
  }
  const Time since = followed.failure ? followed.failure->since : loop_.now();
  followed.failure = Failure{to_string(followed.source.where), answer.error(), since};
  followed.failed_at = loop_.now();
  const uint32_t doublings = std::min(followed.failures++, 5u);
  return std::min(again_min * (1u << doublings), again_max);
}

void Discovery::publish() {
  std::vector<Cluster::Member> members;
  kept_out_ = false;
  for (const Followed& f : followed_) {
    if (f.entries.empty()) continue;
    for (const Resolved::Entry& e : most_wanted(f.entries)) {
      if (admits_ && !admits_(e.address)) {
        kept_out_ = true;
        continue;
      }
      members.push_back({to_string(e.address), e.address, f.source.weight * e.weight,
                         f.source.where.host_header, f.source.where.tls_name});
    }
  }
  if (members == published_) return;
  cluster_.set_members(members);
  published_ = std::move(members);
}

const Discovery::Failure* Discovery::last_error() const {
  const Followed* last = nullptr;
  for (const Followed& f : followed_)
    if (f.failure && (last == nullptr || f.failed_at > last->failed_at)) last = &f;
  return last == nullptr ? nullptr : &*last->failure;
}

Duration Discovery::jittered(Duration pause) {
  const auto most = static_cast<uint64_t>(pause.count() / jitter_part) + 1;
  return pause + Duration(loop_.random_below(most));
}

}  // namespace banyan
