#include "sim/run.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace banyan {

Sim::Sim(uint64_t seed, std::string_view ip)
    : world_(seed), engine_(world_, ip), loop_(engine_, seed) {}

Sim::~Sim() { CHECK(nursery_ == nullptr); }

std::string Sim::describe() const {
  std::string tree;
  if (root_ != nullptr) root_->describe(tree);
  return tree;
}

ListenerPtr Sim::listen(const std::string& at) {
  const auto address = parse_address(at);
  CHECK(address.has_value());
  // On the machine that the address names, so that its operations are counted as that machine's.
  auto listener = engine_.listen(*address, ListenOptions{});
  EXPECT_TRUE(listener.has_value()) << at << ": " << listener.error().what;
  return listener ? std::move(*listener) : nullptr;
}

void Sim::start_or_keep(Deferred start) {
  if (nursery_ != nullptr)
    start(*nursery_);
  else
    deferred_.push_back(std::move(start));
}

void Sim::go(Start start) {
  CHECK(nursery_ == nullptr);
  const auto frames_before = frames.live();
  root_ = std::make_unique<Cancel>();
  context_ = std::make_unique<Context>(Context{loop_, *root_, never});
  nursery_ = std::make_unique<Nursery>(*context_);
  for (auto& deferred : std::exchange(deferred_, {})) deferred(*nursery_);
  End end{engine_};
  start(*context_, &End::reached, &end);
  turn_until(end);
  end_background();
  EXPECT_EQ(nursery_->size(), 0u) << "a background task did not end";
  nursery_.reset();
  context_.reset();
  root_.reset();
  EXPECT_EQ(world_.streams(), 0u) << "a stream is still open after the run";
  EXPECT_EQ(frames.live(), frames_before) << "a frame is still alive after the run";
}

void Sim::end_background() {
  End joined{engine_};
  nursery_->cancel();
  auto join = [this]() -> Task<> { co_await nursery_->join(); };
  drive(join).start(*context_, &End::reached, &joined);
  turn_until(joined);
}

void Sim::turn_until(const End& end) {
  bool called_off = false;
  uint64_t turns = 0;
  while (!end.done) {
    if (loop_.turn() && ++turns < turns_max) continue;
    if (end.done) return;
    ADD_FAILURE() << (turns < turns_max ? "stuck" : "spinning") << " at " << elapsed().count()
                  << " ns; what waits:\n"
                  << describe();
    if (called_off) {
      // Frames that do not end when they are called off cannot be taken away.
      std::fprintf(stderr, "a task does not end when it is called off:\n%s", describe().c_str());
      std::abort();
    }
    called_off = true;
    turns = 0;
    root_->request(Code::cancelled);
  }
}

}  // namespace banyan
