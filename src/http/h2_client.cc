#include "http/h2_client.h"

#include <algorithm>

#include "http/h2_call.h"

namespace banyan {

H2Client::H2Client(StreamPtr stream, Loop& loop, const Limits& limits)
    : H2Link(Role::client, std::move(stream), loop, limits.link),
      all_limits_(limits),
      born_(loop.now()),
      idle_since_(loop.now()) {
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.link.window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.link.head_bytes}};
  greet(settings);
}

H2Client::~H2Client() { CHECK(calls_.empty()); }

Task<> H2Client::serve() {
  loop().arm(*this, after(loop().now(), all_limits_.idle_max));
  (void)co_await run({});
  over_ = true;
  Timer::disarm();
  // Those that have just been told may still be at it.
  co_await Alone{*this};
}

bool H2Client::has_room() const {
  const uint32_t allowed =
      nghttp2_session_get_remote_settings(session(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  return !retired_ && !over_ && count_ < std::min(limits().streams_max, allowed) &&
         exchanges_ < all_limits_.exchanges_max && loop().now() - born_ <= all_limits_.life_max;
}

void H2Client::enter(H2Channel& call) {
  calls_.push_back(call);
  ++count_;
  ++exchanges_;
}

void H2Client::leave(H2Channel& call) {
  call.unlink();
  if (--count_ != 0) return;
  idle_since_ = loop().now();
  if (waiter_) loop().post(std::exchange(waiter_, nullptr));
  if (over_) return;
  if (retired_) return end(NGHTTP2_NO_ERROR);
  if (!armed()) loop().arm(*this, after(idle_since_, all_limits_.idle_max));
}

void H2Client::retire() {
  retired_ = true;
  if (count_ == 0 && !over_) end(NGHTTP2_NO_ERROR);
}

void H2Client::told_end(int32_t) {
  retired_ = true;
  if (count_ == 0 && !over_) end(NGHTTP2_NO_ERROR);
}

void H2Client::fire() noexcept {
  if (count_ != 0) return;  // armed again behind the last of them
  const Time expires = after(idle_since_, all_limits_.idle_max);
  if (loop().now() < expires) return loop().arm(*this, expires);
  retire();
}

void H2Client::input_over(const Result<>& how) {
  over_ = true;
  const Error why =
      how ? Error{Code::reset, Side::upstream, false, 0, "the endpoint closed without an answer"}
          : how.error();
  for (H2Channel* call = calls_.front(); call != nullptr; call = calls_.after(*call))
    static_cast<H2Call*>(call)->connection_over(why);
}

Task<Reply> H2Client::send(H2Client& client, std::unique_ptr<Held> held, Request& request,
                           std::string_view target, const Headers& headers, bool& silent) {
  H2Call::Ref call(new H2Call(client, std::move(held), request));
  co_return co_await call->run(call, target, headers, silent);
}

}  // namespace banyan
