// Part of the engine contract (engine_contract.h): how streams end, who learns of it, and what may
// be destroyed when. Owner: the test binary. Thread: one. Lifetimes: scenarios are lambdas that
// live until the run ends. Bound: 30 s of the engine's time for each.
#pragma once
#include "io/engine_contract.h"

namespace banyan {

TYPED_TEST_P(EngineContract, EndOfStream) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    p.server.reset();
    char buffer[4];
    for (int i = 0; i < 3; ++i) EXPECT_EQ((co_await p.client->read(buffer)).value_or(9), 0u);
  });
}

TYPED_TEST_P(EngineContract, HalfCloseThenTheRest) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    CO_ASSERT(co_await this->send(*p.client, "request"));
    p.client->shutdown_write();
    std::string request, answer;
    EXPECT_TRUE(co_await this->drain(*p.server, request));
    EXPECT_EQ(request, "request");
    const std::string text = pattern(300'000, 4);
    auto side = [&](size_t i) -> Task<Result<>> {
      if (i == 1) co_return co_await this->drain(*p.client, answer);
      auto sent = co_await this->send(*p.server, text);
      p.server->shutdown_write();
      co_return sent;
    };
    for (const auto& end : co_await gather(2, side)) EXPECT_TRUE(end.has_value());
    EXPECT_TRUE(answer == text);
  });
}

TYPED_TEST_P(EngineContract, WriteAfterOwnEnd) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    p.client->shutdown_write();
    EXPECT_EQ((co_await this->send(*p.client, "x")).error().code, Code::reset);
  });
}

TYPED_TEST_P(EngineContract, Reset) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    co_await this->reset_by_server(p);
    char buffer[4];
    // However often it is asked: a reset never turns into an orderly end.
    for (int i = 0; i < 3; ++i) {
      const auto n = co_await p.client->read(buffer);
      CO_ASSERT(!n.has_value());
      EXPECT_EQ(n.error().code, Code::reset);
      EXPECT_EQ(n.error().side, Side::upstream);
    }
    EXPECT_EQ((co_await this->send(*p.client, "x")).error().code, Code::reset);
  });
}

TYPED_TEST_P(EngineContract, ResetWhileReading) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    auto side = [&](size_t i) -> Task<Result<>> {
      if (i == 1) {
        co_await this->reset_by_server(p);
        co_return Result<>();
      }
      std::string got;
      co_return co_await this->drain(*p.client, got);
    };
    const auto ends = co_await gather(2, side);
    CO_ASSERT(!ends[0].has_value());
    EXPECT_EQ(ends[0].error().code, Code::reset);
  });
}

// The kernel tells of a reset once. Whoever hears it first, a reader must not take the rest for an
// orderly end: a body that ends with the connection would be cut and still look whole.
TYPED_TEST_P(EngineContract, ResetIsNoEndAfterAFailedWrite) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    co_await this->reset_by_server(p);
    CO_ASSERT(co_await sleep_for(1ms));
    EXPECT_EQ((co_await this->send(*p.client, "x")).error().code, Code::reset);
    char buffer[4];
    const auto n = co_await p.client->read(buffer);
    CO_ASSERT(!n.has_value());
    EXPECT_EQ(n.error().code, Code::reset);
  });
}

TYPED_TEST_P(EngineContract, ResetIsNoEndAfterReadable) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    co_await this->reset_by_server(p);
    CO_ASSERT(co_await p.client->readable());
    char buffer[4];
    const auto n = co_await p.client->read(buffer);
    CO_ASSERT(!n.has_value());
    EXPECT_EQ(n.error().code, Code::reset);
  });
}

TYPED_TEST_P(EngineContract, ResetIsNoEndAfterQuiet) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    co_await this->reset_by_server(p);
    CO_ASSERT(co_await sleep_for(1ms));
    EXPECT_FALSE(p.client->quiet());
    char buffer[4];
    const auto n = co_await p.client->read(buffer);
    CO_ASSERT(!n.has_value());
    EXPECT_EQ(n.error().code, Code::reset);
  });
}

TYPED_TEST_P(EngineContract, DataBeforeAResetCanBeRead) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    CO_ASSERT(co_await this->send(*p.client, "a request nobody reads"));
    CO_ASSERT(co_await p.server->readable());
    CO_ASSERT(co_await this->send(*p.server, "early answer"));
    p.server.reset();  // unread bytes: the kernel makes a reset of it
    CO_ASSERT(co_await sleep_for(1ms));
    std::string got;
    const auto end = co_await this->drain(*p.client, got);
    EXPECT_EQ(got, "early answer");
    CO_ASSERT(!end.has_value());
    EXPECT_EQ(end.error().code, Code::reset);
  });
}

TYPED_TEST_P(EngineContract, TheLastWriteArrivesWithTheEnd) {
  this->run([&]() -> Task<> {
    for (const size_t size : {1u, 2000u, 100'000u}) {
      auto p = co_await this->pair();
      const std::string text = pattern(size);
      auto side = [&](size_t i) -> Task<Result<>> {
        std::string got;
        if (i == 0) {
          TRY(co_await this->drain(*p.client, got));
          EXPECT_TRUE(got == text) << size;
          co_return Result<>();
        }
        const Bytes piece[] = {text};
        TRY(co_await p.server->write(piece, never, true));
        p.server.reset();
        co_return Result<>();
      };
      for (const auto& end : co_await gather(2, side)) EXPECT_TRUE(end.has_value());
    }
  });
}

TYPED_TEST_P(EngineContract, WritesToAClosedPeerFail) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    p.server.reset();
    Result<> sent;
    for (int i = 0; i < 100 && sent; ++i) {
      sent = co_await this->send(*p.client, "into the void");
      CO_ASSERT(co_await sleep_for(100us));
    }
    CO_ASSERT(!sent.has_value());
    EXPECT_EQ(sent.error().code, Code::reset);
  });
}

TYPED_TEST_P(EngineContract, ShutdownReadEndsAWait) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    auto side = [&](size_t i) -> Task<Result<size_t>> {
      if (i == 0) co_return co_await p.server->readable();
      TRY(co_await sleep_for(1ms));
      p.server->shutdown_read();
      co_return size_t{0};
    };
    for (const auto& end : co_await gather(2, side)) EXPECT_TRUE(end.has_value());
    char buffer[4];
    EXPECT_EQ((co_await p.server->read(buffer)).value_or(9), 0u);
    // The other direction goes on.
    CO_ASSERT(co_await this->send(*p.server, "bye"));
    EXPECT_EQ(co_await this->read_n(*p.client, 3), "bye");
  });
}

TYPED_TEST_P(EngineContract, PeerGoneOnEnd) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    auto side = [&](size_t i) -> Task<Result<>> {
      if (i == 0) co_return co_await until{p.server->peer_gone(), this->forever()};
      TRY(co_await sleep_for(1ms));
      p.client->shutdown_write();  // a half-close counts
      co_return Result<>();
    };
    const auto ends = co_await gather(2, side);
    CO_ASSERT(!ends[0].has_value());
    EXPECT_EQ(ends[0].error().code, Code::cancelled);
  });
}

TYPED_TEST_P(EngineContract, PeerGoneOnReset) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    auto side = [&](size_t i) -> Task<Result<>> {
      if (i == 0) co_return co_await until{p.client->peer_gone(), this->forever()};
      co_await this->reset_by_server(p);
      co_return Result<>();
    };
    const auto ends = co_await gather(2, side);
    CO_ASSERT(!ends[0].has_value());
    EXPECT_EQ(ends[0].error().code, Code::cancelled);
  });
}

TYPED_TEST_P(EngineContract, PeerGoneAtOnce) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    p.client.reset();
    char buffer[4];
    EXPECT_EQ((co_await p.server->read(buffer)).value_or(9), 0u);
    const auto end = co_await until{p.server->peer_gone(), this->forever()};
    CO_ASSERT(!end.has_value());
    EXPECT_EQ(end.error().code, Code::cancelled);
    // And once more: a watch that has ended leaves nothing behind.
    EXPECT_FALSE((co_await until{p.server->peer_gone(), this->forever()}));
  });
}

TYPED_TEST_P(EngineContract, BytesAreNoPeerGone) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    auto work = [&]() -> Task<Result<>> {
      // Bytes are no reason to call anything off.
      TRY(co_await this->send(*p.client, "more"));
      EXPECT_EQ(co_await this->read_n(*p.server, 4), "more");
      co_return co_await sleep_for(2ms);
    };
    EXPECT_TRUE((co_await until{p.server->peer_gone(), work()}));
  });
}

TYPED_TEST_P(EngineContract, NoPeerGoneAfterDetach) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    auto short_work = [&]() -> Task<Result<>> { co_return co_await sleep_for(1ms); };
    EXPECT_TRUE((co_await until{p.server->peer_gone(), short_work()}));
    p.client.reset();
    // The scope of the first watch is gone; nobody may touch it (the sanitizer would tell).
    EXPECT_TRUE(co_await sleep_for(2ms));
    char buffer[4];
    EXPECT_EQ((co_await p.server->read(buffer)).value_or(9), 0u);
  });
}

TYPED_TEST_P(EngineContract, QuietSeesTheEnd) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    p.server.reset();
    CO_ASSERT(co_await sleep_for(1ms));
    EXPECT_FALSE(p.client->quiet());
  });
}

// The first of two streams whose bytes come together destroys the other, which has no operation
// pending.
TYPED_TEST_P(EngineContract, DestroyedFromAnothersEvent) {
  this->run([&]() -> Task<> {
    auto a = co_await this->pair();
    auto b = co_await this->pair();
    EXPECT_FALSE(co_await a.client->readable(this->loop().now() + 1ms));
    EXPECT_FALSE(co_await b.client->readable(this->loop().now() + 1ms));
    auto side = [&](size_t i) -> Task<Result<>> {
      if (i == 0) {
        TRY(co_await a.client->readable());
        b.client.reset();
        co_return Result<>();
      }
      // b's event may come before a's, after it, or in the same batch.
      TRY(co_await this->send(*b.server, "b"));
      TRY(co_await this->send(*a.server, "a"));
      (void)co_await this->send(*b.server, "b");  // that it is gone may be known by now
      co_return Result<>();
    };
    for (const auto& end : co_await gather(2, side)) EXPECT_TRUE(end.has_value());
    EXPECT_EQ(co_await this->read_n(*a.client, 1), "a");
    EXPECT_TRUE(co_await sleep_for(1ms));
  });
}

// Both wait; the one whose event comes first calls the other off and destroys it when that has
// ended.
TYPED_TEST_P(EngineContract, DestroyedInTheSameBatch) {
  this->run([&]() -> Task<> {
    StreamPair pairs[2] = {co_await this->pair(), co_await this->pair()};
    Nursery readers(co_await current_context());
    int first = -1;
    size_t ended = 0;
    auto reader = [&](int i) -> Task<> {
      const auto n = co_await pairs[i].client->readable();
      ++ended;
      if (first < 0) {
        first = i;
        readers.cancel();
      } else {
        // Called off in the same batch, or it had its own event: ended either way, and may go.
        pairs[i].client.reset();
      }
      EXPECT_TRUE(n.has_value() || n.error().code == Code::cancelled);
    };
    readers.start([&] { return reader(0); });
    readers.start([&] { return reader(1); });
    CO_ASSERT(co_await this->send(*pairs[0].server, "x"));
    CO_ASSERT(co_await this->send(*pairs[1].server, "x"));
    co_await readers.join();
    EXPECT_EQ(ended, 2u);
    CO_ASSERT(first >= 0);
    EXPECT_NE(pairs[first].client, nullptr);
    EXPECT_EQ(pairs[1 - first].client, nullptr);
  });
}

TYPED_TEST_P(EngineContract, ReaderAndWriterEndTogether) {
  this->run([&]() -> Task<> {
    auto p = co_await this->pair();
    const std::string text = pattern(32 * 1024 * 1024);
    auto side = [&](size_t i) -> Task<Result<>> {
      char buffer[4];
      if (i == 0) co_return co_await this->send(*p.client, text);
      if (i == 1) {
        const size_t n = TRY(co_await p.client->read(buffer));
        co_return n == 0 ? Result<>() : fail(Code::bug, Side::self, "bytes from nowhere");
      }
      TRY(co_await sleep_for(5ms));
      p.server->abort();
      p.server.reset();
      co_return Result<>();
    };
    const auto ends = co_await gather(3, side);
    CO_ASSERT(!ends[0].has_value() && !ends[1].has_value() && ends[2].has_value());
    EXPECT_EQ(ends[0].error().code, Code::reset);
    EXPECT_EQ(ends[1].error().code, Code::reset);
  });
}

}  // namespace banyan
