// Scripted and exchange(): a service that answers by a script, and one exchange with what stands
// above it, in virtual time and without a network. What must hold after each exchange is checked
// here: nothing runs on, and a content is read in order, once, and not after its end.
// Owner: the test. Thread: one.
#pragma once
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "service/service.h"
#include "sim/run.h"

namespace banyan {

using namespace std::chrono_literals;

using FieldList = std::vector<std::pair<std::string, std::string>>;

inline Error broke_off() { return {Code::reset, Side::upstream, false, 0, "broke off"}; }
inline Error refused() { return {Code::unavailable, Side::upstream, true, 0, "refused"}; }

// Answers the n-th call by the n-th step, and all further ones by the last.
class Scripted final : public Service {
 public:
  struct Step {
    Duration takes{};
    uint16_t status = 200;
    std::optional<Error> error = {};  // instead of an answer
    FieldList fields = {};
    size_t reads = SIZE_MAX;  // at most so much of the content, then it answers
    std::string text = "done";
    std::optional<Error> own = {};  // the answer is Banyan's, because of this
  };
  struct Seen {
    Duration at{};
    std::string content;
    FieldList fields;
    const void* tries = nullptr;
    std::string field(std::string_view name) const {
      for (const auto& [key, value] : fields)
        if (key == name) return value;
      return "";
    }
  };

  Scripted(Sim& sim, std::vector<Step> steps) : sim_(sim), steps_(std::move(steps)) {}

  Task<Reply> call(Request& request) override {
    const Step& step = steps_[std::min(seen_.size(), steps_.size() - 1)];
    Seen& seen = seen_.emplace_back();
    seen.at = sim_.elapsed();
    seen.tries = request.tries;
    for (const Field& field : request.headers)
      seen.fields.emplace_back(std::string(field.name), std::string(field.value));
    ++request.record.attempts;
    request.record.endpoint = request.arena.copy("endpoint " + std::to_string(seen_.size()));
    while (request.body != nullptr && !request.body->ended() && seen.content.size() < step.reads)
      seen.content += TRY(co_await request.body->read());
    auto rested = co_await sleep_for(step.takes);
    if (!rested) {
      ++called_off;
      co_return fail(rested.error().code, Side::upstream, "called off");
    }
    if (step.own) request.record.blame(*step.own);
    if (step.error) co_return fail(*step.error);
    Response rsp = make_response(request, step.status, "text/plain", step.text);
    for (const auto& [name, value] : step.fields) rsp.headers->add(name, value);
    co_return rsp;
  }

  // A deque: calls may overlap.
  const std::deque<Seen>& seen() const { return seen_; }
  std::vector<Duration> times() const {
    std::vector<Duration> out;
    for (const Seen& s : seen_) out.push_back(s.at);
    return out;
  }
  int called_off = 0;

 private:
  Sim& sim_;
  const std::vector<Step> steps_;
  std::deque<Seen> seen_;
};

// A content that comes in pieces, each after a pause, as from a slow client.
class Trickle final : public Body {
 public:
  Trickle(std::vector<std::string> pieces, Duration pause, std::optional<uint64_t> told = {})
      : pieces_(std::move(pieces)), pause_(pause), told_(told) {}
  ~Trickle() override { EXPECT_FALSE(reading_); }
  Task<Result<Bytes>> read() override {
    EXPECT_FALSE(reading_) << "two read at the same time";
    EXPECT_FALSE(broken_) << "read after an error";
    reading_ = true;
    ++reads;
    auto rested = co_await sleep_for(pause_);
    reading_ = false;
    broken_ = !rested;
    if (!rested) co_return std::unexpected(rested.error());
    if (ended()) co_return Bytes{};
    const Bytes piece = pieces_[next_++];
    if (ended() && record != nullptr) record->received = (co_await current_context()).loop.now();
    co_return piece;
  }
  bool ended() const override { return next_ == pieces_.size(); }
  std::optional<uint64_t> length() const override { return told_; }
  int reads = 0;
  Record* record = nullptr;  // of the exchange

 private:
  const std::vector<std::string> pieces_;
  const Duration pause_;
  const std::optional<uint64_t> told_;
  size_t next_ = 0;
  bool reading_ = false;
  bool broken_ = false;
};

struct Ask {
  std::string method = "GET";
  FieldList fields = {};
  Body* body = nullptr;
  std::string upgrade = {};
  bool expects_continue = false;
  std::optional<Wishes> wishes = {};
};

struct Answered {
  uint16_t status = 0;  // 0: `error`
  std::optional<Error> error;
  std::string text;
  FieldList fields;
  Duration took{};  // to the head
  uint16_t attempts = 0;
  std::string decision;
  std::string endpoint;
  std::string field(std::string_view name) const {
    for (const auto& [key, value] : fields)
      if (key == name) return value;
    return "";
  }
};

inline Task<Answered> exchange(Sim& sim, Service& service, Ask ask) {
  Context& context = co_await current_context();
  Nursery background(context);
  Arena arena;
  Headers headers(arena);
  for (const auto& [name, value] : ask.fields) headers.add(name, value);
  Record record;
  record.started = sim.loop().now();
  if (ask.body == nullptr || ask.body->ended()) record.received = sim.loop().now();
  if (auto* slow = dynamic_cast<Trickle*>(ask.body)) slow->record = &record;
  const Address client = *parse_address("10.9.0.1:4711");
  Request request{.arena = arena,
                  .method = parse_method(ask.method),
                  .method_text = ask.method,
                  .headers = headers,
                  .body = ask.body,
                  .upgrade = ask.upgrade,
                  .expects_continue = ask.expects_continue,
                  .client = client,
                  .background = &background,
                  .wishes = ask.wishes ? &*ask.wishes : nullptr,
                  .record = record};
  Answered out;
  const Duration began = sim.elapsed();
  {
    auto reply = co_await service.call(request);
    out.took = sim.elapsed() - began;
    if (reply) {
      out.status = reply->status;
      for (const Field& field : *reply->headers)
        out.fields.emplace_back(std::string(field.name), std::string(field.value));
      while (reply->body != nullptr && !reply->body->ended())
        if (auto piece = co_await reply->body->read())
          out.text += *piece;
        else
          break;
    } else {
      out.error = reply.error();
    }
  }
  background.cancel();
  co_await background.join();
  out.attempts = record.attempts;
  out.decision = record.decision;
  out.endpoint = record.endpoint;
  co_return out;
}

}  // namespace banyan
