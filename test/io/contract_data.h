// Part of the engine contract (engine_contract.h): moving bytes, waiting for them, and being called
// off. Owner: the test binary. Thread: one. Lifetimes: scenarios are lambdas that live until the
// run ends. Bound: 30 s of the engine's time for each. Source: io/stream.h, whose comments these
// tests hold the engines to.
#pragma once
#include "io/engine_contract.h"

namespace banyan {

TYPED_TEST_P(EngineContract, LargeTransferWithBackpressure) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    const std::string text = pattern(10 * 1024 * 1024);
    std::string got;
    auto side = [&](size_t i) -> Task<Result<>> {
      if (i == 1) co_return co_await this->drain(*p.server, got);
      auto sent = co_await this->send(*p.client, text);
      p.client->shutdown_write();
      co_return sent;
    };
    const auto ends = co_await gather(2, side);
    EXPECT_TRUE(ends[0].has_value() && ends[1].has_value());
    EXPECT_TRUE(got == text) << "of " << text.size() << " bytes came " << got.size();
  });
}

TYPED_TEST_P(EngineContract, BothDirectionsAtOnce) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    const std::string up = pattern(1'500'000, 2), down = pattern(1'400'000, 3);
    std::string got_up, got_down;
    // Each stream has a reader and a writer that wait at the same time.
    auto side = [&](size_t i) -> Task<Result<>> {
      if (i == 0) co_return co_await this->drain(*p.server, got_up);
      if (i == 1) co_return co_await this->drain(*p.client, got_down);
      Stream& to = i == 2 ? *p.client : *p.server;
      auto sent = co_await this->send(to, i == 2 ? up : down);
      to.shutdown_write();
      co_return sent;
    };
    for (const auto& end : co_await gather(4, side)) EXPECT_TRUE(end.has_value());
    EXPECT_TRUE(got_up == up && got_down == down);
  });
}

TYPED_TEST_P(EngineContract, GatheredWrites) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    const std::string text = pattern(600'000, 5);
    // Pieces of 0 to 2999 bytes: more than one system call takes, many empty, runs of empty ones
    // too.
    std::vector<Bytes> pieces;
    for (size_t at = 0, i = 0; at < text.size(); ++i) {
      const size_t n = i % 3 == 0 || i % 200 > 100 ? 0 : i * 37 % 3000;
      pieces.push_back(Bytes(text).substr(at, n));
      at += pieces.back().size();
    }
    pieces.push_back({});
    std::string got;
    auto side = [&](size_t i) -> Task<Result<>> {
      if (i == 1) co_return co_await this->drain(*p.server, got);
      auto sent = co_await p.client->write(pieces);
      p.client->shutdown_write();
      co_return sent;
    };
    for (const auto& end : co_await gather(2, side)) EXPECT_TRUE(end.has_value());
    EXPECT_TRUE(got == text) << pieces.size() << " pieces; came " << got.size();
  });
}

TYPED_TEST_P(EngineContract, WritesOfNothing) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    EXPECT_TRUE(co_await p.client->write({}));
    const std::array<Bytes, 100> empty{};
    EXPECT_TRUE(co_await p.client->write(empty));
    CO_ASSERT(co_await this->send(*p.client, "x"));
    EXPECT_EQ(co_await this->read_n(*p.server, 1), "x");
  });
}

TYPED_TEST_P(EngineContract, ShortReads) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    const std::string text = pattern(500, 7);
    CO_ASSERT(co_await this->send(*p.client, text));
    p.client.reset();
    std::string got;
    for (size_t n = 1;; n = n % 7 + 1) {
      std::string buffer(n, '\0');
      const auto r = co_await p.server->read(buffer);
      CO_ASSERT(r.has_value());
      if (*r == 0) break;
      EXPECT_LE(*r, n);
      got += buffer.substr(0, *r);
    }
    EXPECT_TRUE(got == text);
  });
}

TYPED_TEST_P(EngineContract, CancelledReadLosesNothing) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    const std::string text = pattern(64, 9);
    std::string got;
    size_t called_off = 0;
    // Reads whose limit passes at about the time the bytes come.
    auto reader = [&]() -> Task<Result<>> {
      while (got.size() < text.size()) {
        char buffer[5];
        auto one = [&]() -> Task<Result<size_t>> { co_return co_await p.server->read(buffer); };
        const auto n = co_await within{100us, one()};
        if (n)
          got.append(buffer, *n);
        else
          ++called_off;
        if (!n && n.error().code != Code::timeout) co_return std::unexpected(n.error());
      }
      co_return Result<>();
    };
    auto writer = [&]() -> Task<Result<>> {
      for (size_t i = 0; i < text.size(); i += 4) {
        TRY(co_await sleep_for(250us));
        TRY(co_await this->send(*p.client, Bytes(text).substr(i, 4)));
      }
      co_return Result<>();
    };
    auto side = [&](size_t i) { return i == 0 ? reader() : writer(); };
    for (const auto& end : co_await gather(2, side)) EXPECT_TRUE(end.has_value());
    EXPECT_TRUE(got == text);
    EXPECT_GT(called_off, 0u);
  });
}

TYPED_TEST_P(EngineContract, ReadDeadline) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    char buffer[8];
    const Time deadline = this->loop().now() + 3ms;
    const auto n = co_await p.server->read(buffer, deadline);
    CO_ASSERT(!n.has_value());
    EXPECT_EQ(n.error().code, Code::timeout);
    EXPECT_EQ(n.error().side, Side::client);
    EXPECT_GE(this->loop().now(), deadline);
    const auto other = co_await p.client->readable(this->loop().now() + 1ms);
    EXPECT_EQ(other.error().code, Code::timeout);
    EXPECT_EQ(other.error().side, Side::upstream);
  });
}

TYPED_TEST_P(EngineContract, ReadDeadlineInThePast) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    char buffer[8];
    const auto none = co_await p.server->read(buffer, this->loop().now() - 1s);
    EXPECT_EQ(none.error().code, Code::timeout);
    // What is there already is given, whatever the deadline.
    CO_ASSERT(co_await this->send(*p.client, "there"));
    CO_ASSERT(co_await p.server->readable());
    EXPECT_GT((co_await p.server->read(buffer, this->loop().now() - 1s)).value_or(0), 0u);
  });
}

TYPED_TEST_P(EngineContract, WriteDeadline) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    const std::string text = pattern(32 * 1024 * 1024);
    const Time deadline = this->loop().now() + 20ms;
    const auto sent = co_await this->send(*p.client, text, deadline);
    CO_ASSERT(!sent.has_value());
    EXPECT_EQ(sent.error().code, Code::timeout);
    EXPECT_EQ(sent.error().side, Side::upstream);
    EXPECT_GE(this->loop().now(), deadline);
    // What the peer then reads is a prefix of it.
    p.client->shutdown_write();
    std::string got;
    CO_ASSERT(co_await this->drain(*p.server, got));
    EXPECT_GT(got.size(), 0u);
    EXPECT_LT(got.size(), text.size());
    EXPECT_TRUE(text.starts_with(got));
  });
}

TYPED_TEST_P(EngineContract, CancelledWrite) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    const std::string text = pattern(32 * 1024 * 1024);
    auto write = [&]() -> Task<Result<>> { co_return co_await this->send(*p.server, text); };
    const auto sent = co_await within{2ms, write()};
    CO_ASSERT(!sent.has_value());
    EXPECT_EQ(sent.error().code, Code::timeout);
    EXPECT_EQ(sent.error().side, Side::client);
  });
}

TYPED_TEST_P(EngineContract, ReadableTakesNothing) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    CO_ASSERT(co_await this->send(*p.client, "abc"));
    for (int i = 0; i < 3; ++i) EXPECT_EQ((co_await p.server->readable()).value_or(9), 0u);
    EXPECT_EQ(co_await this->read_n(*p.server, 3), "abc");
    EXPECT_EQ((co_await p.server->readable(this->loop().now() + 1ms)).error().code, Code::timeout);
    p.client.reset();
    EXPECT_TRUE(co_await p.server->readable());
    char buffer[4];
    EXPECT_EQ((co_await p.server->read(buffer)).value_or(9), 0u);
  });
}

TYPED_TEST_P(EngineContract, ReadableWaits) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    bool sent = false;
    auto side = [&](size_t i) -> Task<Result<>> {
      if (i == 0) {
        TRY(co_await p.server->readable());
        EXPECT_TRUE(sent);
        co_return Result<>();
      }
      TRY(co_await sleep_for(1ms));
      sent = true;
      co_return co_await this->send(*p.client, "x");
    };
    for (const auto& end : co_await gather(2, side)) EXPECT_TRUE(end.has_value());
  });
}

TYPED_TEST_P(EngineContract, QuietSeesBytes) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    EXPECT_TRUE(p.client->quiet());
    EXPECT_TRUE(p.client->quiet());
    CO_ASSERT(co_await this->send(*p.server, "unasked"));
    CO_ASSERT(co_await p.client->readable());
    EXPECT_FALSE(p.client->quiet());
    EXPECT_EQ(co_await this->read_n(*p.client, 7), "unasked");
    EXPECT_TRUE(p.client->quiet());
  });
}

// A pooled connection may have been used without ever waiting: its answer was there before the
// read.
TYPED_TEST_P(EngineContract, QuietAfterAnUnwaitedShortRead) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    CO_ASSERT(co_await this->send(*p.server, "answer"));
    // Time for it to arrive, without asking the client's own stream.
    CO_ASSERT(co_await sleep_for(1ms));
    char buffer[64];
    for (size_t n = 0; n < 6;) n += (co_await p.client->read(buffer)).value_or(6);
    CO_ASSERT(co_await this->send(*p.server, "and what nobody asked for"));
    CO_ASSERT(co_await sleep_for(1ms));
    EXPECT_FALSE(p.client->quiet());
  });
}

}  // namespace banyan
