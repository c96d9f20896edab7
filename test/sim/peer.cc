#include "sim/peer.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace banyan {

namespace {

constexpr size_t until_max = 1024 * 1024;

}  // namespace

Task<Result<size_t>> Peer::fill() {
  if (stream_ == nullptr) co_return 0;
  char buffer[16 * 1024];
  const size_t n = TRY(co_await stream_->read(buffer));
  held_.append(buffer, n);
  co_return n;
}

Task<bool> Peer::expect(std::string_view text) {
  while (held_.size() < text.size() && std::string_view(text).starts_with(held_)) {
    const auto n = co_await fill();
    if (!n || *n == 0) {
      ADD_FAILURE() << "expected \"" << printable(text, 2000) << "\", but the connection ended ("
                    << (n ? "orderly" : n.error().what) << ") after \"" << printable(held_, 2000)
                    << '"';
      co_return false;
    }
  }
  const std::string got = held_.substr(0, text.size());
  EXPECT_EQ(printable(got, 2000), printable(text, 2000));
  if (got != text) co_return false;
  held_.erase(0, text.size());
  co_return true;
}

Task<bool> Peer::expect_end() {
  const auto n = held_.empty() ? co_await fill() : Result<size_t>(held_.size());
  EXPECT_TRUE(n.has_value()) << n.error().what;
  EXPECT_EQ(printable(held_, 2000), "");
  co_return n == 0u;
}

Task<bool> Peer::expect_reset() {
  for (;;) {
    const auto n = co_await fill();
    if (n && *n > 0) continue;
    EXPECT_TRUE(!n && n.error().code == Code::reset)
        << "the connection was closed in an orderly way";
    co_return !n && n.error().code == Code::reset;
  }
}

Task<std::string> Peer::read_until(std::string_view mark) {
  for (;;) {
    if (const size_t at = held_.find(mark); at != std::string::npos) {
      std::string found = held_.substr(0, at + mark.size());
      held_.erase(0, found.size());
      co_return found;
    }
    const auto n = co_await fill();
    if (!n || *n == 0 || held_.size() > until_max) co_return std::string();
  }
}

Task<std::string> Peer::read_all() {
  for (;;) {
    const auto n = co_await fill();
    EXPECT_TRUE(n.has_value()) << n.error().what;
    if (!n || *n == 0) co_return std::exchange(held_, {});
  }
}

Task<size_t> Peer::read_slowly(size_t n, Duration pause) {
  std::string buffer(n, '\0');
  size_t total = std::exchange(held_, {}).size();
  for (;;) {
    const auto got = co_await stream_->read(buffer);
    if (!got || *got == 0) co_return total;
    total += *got;
    if (!co_await sleep_for(pause)) co_return total;
  }
}

Task<bool> Peer::send(std::string_view text) {
  if (stream_ == nullptr) co_return false;
  const Bytes piece[] = {text};
  const auto sent = co_await stream_->write(piece);
  co_return sent.has_value();
}

void Peer::reset() {
  if (stream_ != nullptr) stream_->abort();
  stream_.reset();
}

Task<Peer> dial(Network& network, std::string_view text) {
  const auto address = parse_address(text);
  CHECK(address.has_value());
  auto stream = co_await network.connect(*address);
  EXPECT_TRUE(stream.has_value()) << text << ": " << stream.error().what;
  co_return Peer(stream ? std::move(*stream) : nullptr);
}

}  // namespace banyan
