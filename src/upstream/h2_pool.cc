#include "upstream/h2_pool.h"

#include <algorithm>

namespace banyan {

namespace {

// All exchanges of a connection together can never fill its window: one whose client does not take
// its answer holds what its own window allows, and stands in nobody's way.
constexpr uint32_t streams_max = 100;
constexpr uint32_t window_bytes = 128 * 1024;
constexpr uint32_t link_window_bytes = 16 * 1024 * 1024;
static_assert(streams_max * window_bytes <= link_window_bytes);

}  // namespace

H2Pool::~H2Pool() { CHECK(clients_.empty()); }

H2Client* H2Pool::take() const {
  const auto found =
      std::ranges::find_if(clients_, [](const auto& client) { return client->has_room(); });
  return found != clients_.end() ? found->get() : nullptr;
}

std::shared_ptr<H2Pool::Dial> H2Pool::begin_dial() {
  CHECK(dial_ == nullptr);
  return dial_ = std::make_shared<Dial>();
}

void H2Pool::end_dial(const std::shared_ptr<Dial>& dial, std::optional<Error> error) {
  dial_.reset();
  dial->error = error;
  dial->done.set();
}

H2Client* H2Pool::adopt(StreamPtr stream, const H1ClientLimits& limits, Nursery& tasks,
                        std::shared_ptr<void> keep) {
  H2Client::Limits own;
  own.link.streams_max = streams_max;
  own.link.window = window_bytes;
  own.link.link_window = link_window_bytes;
  own.link.send_max = limits.send_max;
  own.gap_max = limits.body.gap_max;
  own.continue_max = limits.continue_max;
  own.idle_max = limits_.idle_age_max;
  own.life_max = limits_.life_max;
  own.exchanges_max = limits_.exchanges_max;
  H2Client& client =
      *clients_.emplace_back(std::make_unique<H2Client>(std::move(stream), loop_, own));
  auto task = [this, &client, k = std::move(keep)] { return serve(client, k); };
  if (!tasks.start(std::move(task))) {
    clients_.pop_back();
    return nullptr;
  }
  if (retired_) client.take_no_more();
  return &client;
}

Task<> H2Pool::serve(H2Client& client, std::shared_ptr<void> keep) {
  co_await client.serve();
  std::erase_if(clients_, [&](const auto& c) { return c.get() == &client; });
  // The pool may go with the last of those who keep it; nothing of it is touched any more.
  keep.reset();
}

void H2Pool::retire() {
  retired_ = true;
  for (const auto& client : clients_) client->retire();
}

}  // namespace banyan
